"""The bus: events to every group that wants them, none lost, none in silence.

`ports` is what services see; `rabbit` is the implementation on RabbitMQ and the fakes of the tests
have one in memory. Both run the same `workers`, so they fail and retry alike.
"""

from shared.bus.ports import (
    BatchHandler,
    Bus,
    DeadLetter,
    EventHandler,
    Group,
    Handler,
    OrderedGroup,
    Publisher,
    combined,
    on,
)
from shared.bus.retry import RetryPolicy

__all__ = [
    "BatchHandler",
    "Bus",
    "DeadLetter",
    "EventHandler",
    "Group",
    "Handler",
    "OrderedGroup",
    "Publisher",
    "RetryPolicy",
    "combined",
    "on",
]
