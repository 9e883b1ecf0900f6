"""The headers of a failed message: how often, since when and why it failed."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from shared.bus.codec import Headers, Message, format_time
from shared.bus.consumer import Delivery
from shared.bus.ports import DeadLetter
from shared.runtime.log import describe

ATTEMPTS = "x-greenroom-attempts"
FIRST_FAILED = "x-greenroom-first-failed"
LAST_FAILED = "x-greenroom-last-failed"
REASON = "x-greenroom-reason"
QUEUE = "x-greenroom-queue"

_OURS = (ATTEMPTS, FIRST_FAILED, LAST_FAILED, REASON, QUEUE)


def attempts(headers: Mapping[str, object]) -> int:
    """How often the handler has failed on it so far."""
    value = headers.get(ATTEMPTS, 0)
    return value if isinstance(value, int) else 0


def original(delivery: Delivery) -> Message:
    """The message as it was published: the CloudEvents headers alone."""
    return Message(_cloud_event(delivery.headers), delivery.body)


def forwarded(delivery: Delivery) -> Message:
    """The message with its count of failures unchanged."""
    ours: Headers = {
        name: value for name in _OURS if isinstance(value := delivery.headers.get(name), str | int)
    }
    return Message({**_cloud_event(delivery.headers), **ours, QUEUE: delivery.queue}, delivery.body)


def failed(delivery: Delivery, error: BaseException, *, at: datetime, count: int = 1) -> Message:
    """The message after `count` more failures; it is replayed to the queue of this delivery."""
    first = delivery.headers.get(FIRST_FAILED)
    headers: Headers = {
        **_cloud_event(delivery.headers),
        ATTEMPTS: attempts(delivery.headers) + count,
        FIRST_FAILED: first if isinstance(first, str) else format_time(at),
        LAST_FAILED: format_time(at),
        REASON: describe(error),
        QUEUE: delivery.queue,
    }
    return Message(headers, delivery.body)


def read_dead_letter(delivery: Delivery) -> DeadLetter:
    """A message of a dead-letter queue. Those the broker gave up itself carry its `x-death`."""
    headers = delivery.headers
    return DeadLetter(
        id=_text(headers, "ce-id") or f"body-{hashlib.sha256(delivery.body).hexdigest()[:16]}",
        queue=_text(headers, QUEUE) or _text(headers, "x-first-death-queue"),
        event=_text(headers, "ce-type"),
        key=_text(headers, "ce-subject"),
        reason=_text(headers, REASON) or _text(headers, "x-first-death-reason"),
        attempts=attempts(headers),
        first_failed_at=_time(headers, FIRST_FAILED),
        last_failed_at=_time(headers, LAST_FAILED),
        body=delivery.body,
    )


def _cloud_event(headers: Mapping[str, object]) -> Headers:
    return {
        name: value
        for name, value in headers.items()
        if name.startswith("ce-") and isinstance(value, str | int)
    }


def _text(headers: Mapping[str, object], name: str) -> str:
    value = headers.get(name)
    return value if isinstance(value, str) else ""


def _time(headers: Mapping[str, object], name: str) -> datetime | None:
    value = _text(headers, name)
    return datetime.fromisoformat(value) if value else None
