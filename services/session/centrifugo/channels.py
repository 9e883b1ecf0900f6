"""The channels of Centrifugo, by name.

`session:<id>` is for all who take part, `session:<id>:staff` for host, co-hosts and moderators, and
`user:<id>` for one person.
"""

import re
from dataclasses import dataclass

from shared.ids import is_id

_SESSION = re.compile(r"session:([^:]+)(:staff)?")


@dataclass(frozen=True)
class SessionChannel:
    session_id: str
    staff: bool


@dataclass(frozen=True)
class UserChannel:
    user_id: str


def channel(name: object) -> SessionChannel | UserChannel | None:
    """What this channel is of; None for a name that we do not give. Ids are in small letters."""
    if not isinstance(name, str):
        return None
    kind, _, user_id = name.partition(":")
    if kind == "user" and _is_ours(user_id):
        return UserChannel(user_id)
    match = _SESSION.fullmatch(name)
    if match is None or not _is_ours(match[1]):
        return None
    return SessionChannel(match[1], staff=match[2] is not None)


def _is_ours(id: str) -> bool:
    """A channel has one name: another spelling of an id would be another channel."""
    return id == id.lower() and is_id(id)
