"""Join tokens: what lets a person, an encoder or a monitor into a LiveKit room."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import jwt

from shared.clock import Clock, from_unix_ms
from shared.contracts.states import Role
from shared.livekit.join_terms import ALWAYS, JoinTerms, JoinWindow, number_in, unix_ms
from shared.livekit.ports import Permissions, TrackSource
from shared.runtime import tracing

# Participant attributes: a person's role in the session; the API key that let them in, if one did; that they
# are a guest, if so; when their token was issued, in milliseconds since 1970; and, if it is traced, in which
# step of which trace, which the webhook of their joining continues.
ROLE_ATTRIBUTE: Final = "greenroom.role"
KEY_ATTRIBUTE: Final = "greenroom.key"
GUEST_ATTRIBUTE: Final = "greenroom.guest"
ISSUED_ATTRIBUTE: Final = "greenroom.issued"
TRACE_ATTRIBUTE: Final = "greenroom.trace"


@dataclass(frozen=True)
class JoinGrant:
    """Who joins which room as what; `can_publish_sources` None means any source, empty means none.

    `hidden` participants are seen by nobody (monitors); `recorder` marks recorders; `key_id` is the API key
    that lets them in, if one does; a guest gave a display name only. `issued_at` is when they were given what
    they come in by, if not with the token.
    """

    room: str
    identity: str
    name: str
    role: Role
    can_publish: bool = False
    can_publish_sources: tuple[TrackSource, ...] | None = None
    can_subscribe: bool = True
    can_publish_data: bool = False
    hidden: bool = False
    recorder: bool = False
    key_id: str | None = None
    is_guest: bool = False
    issued_at: datetime | None = None
    terms: JoinTerms = field(default_factory=JoinTerms)

    def attributes(self, now: datetime) -> dict[str, str]:
        """The participant's attributes, with a token that is issued now."""
        issued_at = self.issued_at or now
        key = {KEY_ATTRIBUTE: self.key_id} if self.key_id else {}
        guest = {GUEST_ATTRIBUTE: "true"} if self.is_guest else {}
        issued = {ISSUED_ATTRIBUTE: str(unix_ms(issued_at))}
        return {ROLE_ATTRIBUTE: self.role.value} | issued | key | guest | self.terms.attributes

    @property
    def permissions(self) -> Permissions:
        """The same rights for `LiveKit.update_participant`."""
        return Permissions(
            can_publish=self.can_publish,
            can_publish_sources=self.can_publish_sources,
            can_subscribe=self.can_subscribe,
            can_publish_data=self.can_publish_data,
            hidden=self.hidden,
            recorder=self.recorder,
        )


class TokenMint:
    """Mints join tokens (HS256 JWT) under one API key.

    The claims are built here and not by the SDK, which reads the wall clock. They are those of
    LiveKit's `auth.VideoGrant`: what is absent there counts as allowed, hence every grant is written.
    """

    def __init__(self, api_key: str, api_secret: str, clock: Clock):
        self._key = api_key
        self._secret = api_secret
        self._clock = clock

    def join_token(self, grant: JoinGrant, *, lifetime: timedelta, window: JoinWindow = ALWAYS) -> str:
        """A token that lets `grant.identity` connect for `lifetime`, in this window; staying needs none.

        The lifetime begins now, or when the window opens.
        """
        if not grant.room or not grant.identity:
            raise ValueError("a join token needs a room and an identity")
        now = self._clock.now()
        not_before, expires = window.validity(now, lifetime)
        claims = {
            "iss": self._key,
            "sub": grant.identity,
            "name": grant.name,
            "nbf": not_before,
            "exp": expires,
            "video": _video(grant),
            "attributes": grant.attributes(now) | _trace(),
        }
        if grant.terms.metadata is not None:
            claims["metadata"] = grant.terms.metadata
        return jwt.encode(claims, self._secret, algorithm="HS256")


def _video(grant: JoinGrant) -> dict[str, Any]:
    video: dict[str, Any] = {
        "roomJoin": True,
        "room": grant.room,
        "canPublish": grant.permissions.publishes,
        "canSubscribe": grant.can_subscribe,
        "canPublishData": grant.can_publish_data,
        "canUpdateOwnMetadata": False,
        "hidden": grant.hidden,
        "recorder": grant.recorder,
    }
    if grant.can_publish_sources:
        video["canPublishSources"] = [source.value for source in grant.can_publish_sources]
    return video


def _trace() -> dict[str, str]:
    """Everybody in the room sees it: random numbers, 70 bytes a participant."""
    step = tracing.sampled()
    return {TRACE_ATTRIBUTE: step} if step else {}


def issued_at(attributes: Mapping[str, str]) -> datetime | None:
    """When the token of a participant with these attributes was issued; None if they do not say."""
    milliseconds = number_in(attributes, ISSUED_ATTRIBUTE)
    return None if milliseconds is None else from_unix_ms(milliseconds)
