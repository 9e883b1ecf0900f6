"""One line of a consumer's table: an event and the method that reacts to it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from shared.bus.ports import Handler
from shared.contracts.event import Envelope, Event

E = TypeVar("E", bound=Event)


def on(event: type[E], react: Callable[[E], Awaitable[None]]) -> tuple[type[Event], Handler]:
    """For `Group(name, dict([on(SessionEnded, service.close), …]))`."""

    async def handle(envelope: Envelope) -> None:
        await react(cast(E, envelope.event))

    return event, handle
