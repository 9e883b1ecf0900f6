"""The bus: events to every group that wants them, none lost, none in silence.

`ports` is what services see; `rabbit` is the implementation on RabbitMQ and `tests.fakes.memory_bus`
the one for tests. Both run the same `workers`, so they fail and retry alike.
"""

from shared.bus.groups import BatchHandler, EventHandler, Group, Handler, OrderedGroup, combined, on
from shared.bus.ports import Bus, DeadLetter, Publisher
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
