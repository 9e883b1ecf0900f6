"""When people may join a room, and when they are removed: its options, and what a token adds. Pure."""

from dataclasses import replace
from datetime import datetime

from shared.contracts.states import RoomOptions
from shared.errors import Forbidden
from shared.livekit.join_terms import JoinTerms, JoinWindow


def window_of(options: RoomOptions) -> JoinWindow:
    """Nobody joins who would be removed immediately."""
    closing = JoinWindow(closes_at=options.remove_at)
    return JoinWindow(opens_at=options.join_from, closes_at=options.join_until).within(closing)


def strictest(terms: JoinTerms, options: RoomOptions) -> JoinTerms:
    """The terms, with the earlier of both removals."""
    ends = [at for at in (terms.remove_at, options.remove_at) if at]
    stays = [length for length in (terms.remove_after, options.remove_after_seconds_elapsed) if length]
    return replace(terms, remove_at=min(ends, default=None), remove_after=min(stays, default=None))


def check_open(window: JoinWindow, now: datetime) -> None:
    """Raises `Forbidden` outside the window."""
    if window.opens_at is not None and now < window.opens_at:
        raise Forbidden("Nobody may join yet", code="join_not_open_yet")
    check_not_closed(window, now)


def check_not_closed(window: JoinWindow, now: datetime) -> None:
    """Raises `Forbidden` after the window."""
    if window.closes_at is not None and now >= window.closes_at:
        raise Forbidden("Nobody may join any longer", code="join_closed")
