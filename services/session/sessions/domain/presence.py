"""Whether a host is present: the rule that ends a session without a host. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.states import Role
from shared.livekit.ports import NOT_COUNTED


@dataclass(kw_only=True)
class HostConnection:
    """One connection of the host, encoders included. Join and leave may arrive in any order.

    `room_sid` is LiveKit's id of the room. `estimated`: its leave was not reported; it is the time of the
    last roster with it.
    """

    room_sid: str | None = None
    joined_at: datetime | None = None
    left_at: datetime | None = None
    estimated: bool = False

    @property
    def is_open(self) -> bool:
        return self.left_at is None

    def leave(self, at: datetime) -> None:
        self.left_at, self.estimated = at, False


def corrected(
    hosts: Mapping[str, HostConnection],
    roster: RosterObserved,
    theirs: Callable[[Connection], bool] | None = None,
) -> dict[str, HostConnection]:
    """The host's connections by sid, as the roster shows them; or those that are `theirs`.

    It says nothing of who joined after it was observed, nor of another room of the name; one that is not
    on it was there until a roster last showed it. Who is no host in this session does not stand for one,
    whatever their token says.
    """
    counts = theirs or is_host
    listed = {one.participant_sid: one for one in roster.connections}
    left = roster.left(
        {
            sid: one.joined_at
            for sid, one in hosts.items()
            if one.is_open and one.joined_at and one.room_sid == roster.room_sid
        }
    )
    kept = {
        sid: _seen(one, sid in listed, left.get(sid), roster)
        for sid, one in hosts.items()
        if sid not in listed or counts(listed[sid])
    }
    there = (one for one in roster.connections if one.active and counts(one))
    fresh = {
        one.participant_sid: HostConnection(room_sid=roster.room_sid, joined_at=one.joined_at)
        for one in there
    }
    return fresh | kept


def _seen(
    connection: HostConnection, listed: bool, left_at: datetime | None, roster: RosterObserved
) -> HostConnection:
    if left_at is not None:
        return replace(connection, left_at=left_at, estimated=True)
    since = connection.left_at if listed and connection.estimated else None
    mistaken = since is not None and since < roster.observed_at
    return replace(connection, left_at=None, estimated=False) if mistaken else connection


def is_host(connection: Connection) -> bool:
    """Hosts and their encoders keep a session alive; hidden monitors and recorders do not."""
    return connection.role in {Role.HOST, Role.CO_HOST} and not (connection.hidden or connection.recorder)


def is_person(connection: Connection) -> bool:
    """Whether it is somebody taking part, or their encoder; monitors, recorders and machines are not."""
    return not (connection.hidden or connection.recorder or connection.kind in NOT_COUNTED)


def hostless_since(hosts: Mapping[str, HostConnection], started_at: datetime) -> datetime | None:
    """Since when no host has been there; None while one is."""
    if any(connection.is_open for connection in hosts.values()):
        return None
    departures = [connection.left_at for connection in hosts.values() if connection.left_at]
    return max([started_at, *departures])


def first_gone(people: Iterable[Mapping[str, HostConnection]]) -> datetime | None:
    """When the first of these people left altogether, by their connections; None while all are there."""
    return min((at for one in people if (at := _gone_since(one))), default=None)


def _gone_since(connections: Mapping[str, HostConnection]) -> datetime | None:
    left = [one.left_at for one in connections.values()]
    return max((at for at in left if at), default=None) if None not in left else None
