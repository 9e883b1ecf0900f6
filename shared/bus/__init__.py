"""The bus: events to every group that wants them, none lost, none in silence.

`ports` is what services see; `rabbit` is the implementation on RabbitMQ and `shared.testing.memory_bus`
the one for tests. Both run the same `workers`, so they fail and retry alike.
"""

from shared.bus.groups import BatchHandler, Group, Handler, OrderedGroup, Reaction, combined, on
from shared.bus.ports import Bus, DeadLetter, Publisher
from shared.bus.retry import RetryPolicy

__all__ = [
    "BatchHandler",
    "Bus",
    "DeadLetter",
    "Group",
    "Handler",
    "OrderedGroup",
    "Publisher",
    "Reaction",
    "RetryPolicy",
    "combined",
    "on",
]
