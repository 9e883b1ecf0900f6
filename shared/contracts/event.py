"""The event: its base class, its envelope, and the registry of all of them.

An event class names itself `<noun>.<past verb>.v<N>`. Unknown fields are ignored, so a field may be
added to a version; any other change is a new `vN`.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

PARTITIONS = 16

REGISTRY: dict[str, type["Event"]] = {}


class Event(BaseModel):
    """Base of every event; subclasses are registered by `name` when they are declared."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ClassVar[str]
    # Whether its key is a session.
    in_session: ClassVar[bool] = True

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        name = cls.__dict__.get("name")
        if name is None:
            return
        if name in REGISTRY:
            raise TypeError(f"two events are named {name}")
        REGISTRY[name] = cls

    @property
    def key(self) -> str:
        """What the event is about, as an id: the session for everything of a session.

        It is the CloudEvents subject and decides the partition, hence the order.
        """
        raise NotImplementedError(f"{type(self).__name__} names no key")

    @property
    def owner_id(self) -> str | None:
        """The organization that it is about something of, as far as the event says it."""
        return None


@dataclass(frozen=True)
class Envelope:
    """An event as it travels: CloudEvents' `id`, `source`, `time`, our event, and what caused it.

    `operation` and `actor` (`user:<id>`, `key:<id>`) are those of the call that caused it directly;
    `traceparent` is the step of a trace that it continues (W3C Trace Context).
    """

    id: str
    source: str
    time: datetime
    event: Event
    request_id: str | None = None
    operation: str | None = None
    actor: str | None = None
    traceparent: str | None = None

    @property
    def partition(self) -> int:
        return partition_of(self.event.key)

    @property
    def routing_key(self) -> str:
        return f"{self.event.name}.{self.partition:02d}"


def partition_of(key: str) -> int:
    """The partition (0 to PARTITIONS - 1) of an id: CRC-32 modulo PARTITIONS."""
    return zlib.crc32(key.encode()) % PARTITIONS
