"""The bus: events to every group that wants them, none lost, none in silence.

`ports` is what services see; `rabbit` is the implementation on RabbitMQ and `shared.testing.memory_bus`
the one for tests. Both run the same workers (`unordered`, `ordered`), so they fail and retry alike.
"""

from shared.bus.policy import RetryPolicy
from shared.bus.ports import (
    BatchHandler,
    Broadcast,
    Bus,
    DeadLetter,
    Group,
    Handler,
    OrderedGroup,
    Publisher,
)
from shared.bus.table import on

__all__ = [
    "BatchHandler",
    "Broadcast",
    "Bus",
    "DeadLetter",
    "Group",
    "Handler",
    "OrderedGroup",
    "Publisher",
    "RetryPolicy",
    "on",
]
