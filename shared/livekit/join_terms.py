"""When people may join a room, and on which terms they are in it: what join tokens say beside rights."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from shared.clock import from_unix_ms

# Participant attributes. Times are in milliseconds since 1970, `remove_after` is in seconds.
_EXTERNAL_ID: Final = "greenroom.external_user_id"
_REMOVE_AT: Final = "greenroom.remove_at"
_REMOVE_AFTER: Final = "greenroom.remove_after"
_ENDS_SESSION: Final = "greenroom.ends_session"

# LiveKit accepts a token this long before its `nbf` and after its `exp` (`tokenLeeway` in
# protocol/auth/verifier.go).
LEEWAY: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class JoinTerms:
    """On which terms somebody is in the room.

    Everybody in it sees `external_user_id`, the customer's id of them, and `metadata`. They are removed at
    `remove_at`, and `remove_after` seconds after their first join; `ends_session`: the session ends when they
    leave.
    """

    external_user_id: str | None = None
    metadata: str | None = None
    remove_at: datetime | None = None
    remove_after: int | None = None
    ends_session: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """All of it but the metadata, as participant attributes."""
        stated = {
            _EXTERNAL_ID: self.external_user_id,
            _REMOVE_AT: str(unix_ms(self.remove_at)) if self.remove_at else None,
            _REMOVE_AFTER: str(self.remove_after) if self.remove_after else None,
            _ENDS_SESSION: "true" if self.ends_session else None,
        }
        return {name: value for name, value in stated.items() if value}

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> Self:
        """The terms of a participant with these attributes."""
        remove_at = number_in(attributes, _REMOVE_AT)
        return cls(
            external_user_id=attributes.get(_EXTERNAL_ID),
            remove_at=None if remove_at is None else from_unix_ms(remove_at),
            remove_after=number_in(attributes, _REMOVE_AFTER),
            ends_session=_ENDS_SESSION in attributes,
        )


@dataclass(frozen=True, kw_only=True)
class JoinWindow:
    """Nobody joins before `opens_at`, nor from `closes_at` on; None is no limit."""

    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def within(self, other: "JoinWindow") -> "JoinWindow":
        """What both allow."""
        opens = [at for at in (self.opens_at, other.opens_at) if at]
        closes = [at for at in (self.closes_at, other.closes_at) if at]
        return JoinWindow(opens_at=max(opens, default=None), closes_at=min(closes, default=None))

    def end(self, now: datetime, lifetime: timedelta) -> datetime:
        """The end of what is issued now for a `lifetime`, which begins when the window opens."""
        end = max(now, self.opens_at or now) + lifetime
        return min(end, self.closes_at) if self.closes_at else end

    def validity(self, now: datetime, lifetime: timedelta) -> tuple[int, int]:
        """`nbf` and `exp` of a token: the window's ends are exact, so they make up for LiveKit's leeway."""
        opens_later = self.opens_at is not None and self.opens_at > now
        begins = self.opens_at + LEEWAY if self.opens_at and opens_later else now
        end = self.end(now, lifetime)
        expires = end - LEEWAY if end == self.closes_at else end
        return (math.ceil if opens_later else int)(begins.timestamp()), int(expires.timestamp())


ALWAYS: Final = JoinWindow()


def number_in(attributes: Mapping[str, str], name: str) -> int | None:
    """A participant attribute that is a number; None if it is not there, or is something else."""
    value = attributes.get(name, "")
    return int(value) if value.isdecimal() else None


def unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
