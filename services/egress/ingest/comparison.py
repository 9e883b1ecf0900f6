"""Ingests as we believe them to be, against the ingresses that there are. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from services.egress.drift.domain import Drift, Kind
from services.egress.ingest.domain import SessionIngest
from shared.ids import is_id
from shared.livekit.ports import Ingress

# Neither publishing nor not: media comes in, and is not let into the room yet.
_UNDECIDED = "buffering"
_PUBLISHING = "publishing"


def compare(opened: Iterable[SessionIngest], listed: Iterable[Ingress], over: Collection[str]) -> list[Drift]:
    """The differences; `over` are sessions that are known to be over. What is being made is left alone."""
    ingests = {one.session_id: one for one in opened}
    ingresses = {one.ingress_id: one for one in listed}
    return [
        drift
        for drift in (*_ours(ingests, ingresses, over), *_leftovers(ingests, ingresses))
        if not (drift.session_id in ingests and ingests[drift.session_id].claimed)
    ]


def _ours(
    ingests: Mapping[str, SessionIngest], ingresses: Mapping[str, Ingress], over: Collection[str]
) -> Iterator[Drift]:
    for session_id, ingest in ingests.items():
        if session_id in over:
            observed = f"ingress {ingest.ingress_id or 'being made'}"
            yield Drift(
                Kind.INGRESS_LEFTOVER,
                session_id,
                "session over",
                observed,
                subject_id=ingest.ingress_id or "",
            )
        elif ingest.ingress_id is not None:
            yield from _differs(ingest, ingest.ingress_id, ingresses.get(ingest.ingress_id))


def _differs(ingest: SessionIngest, ingress_id: str, seen: Ingress | None) -> Iterator[Drift]:
    expected = f"ingress {_PUBLISHING if ingest.publishing else 'idle'}"
    if seen is None:
        yield Drift(Kind.INGRESS_LOST, ingest.session_id, expected, "no such ingress", subject_id=ingress_id)
    elif seen.status != _UNDECIDED and ingest.publishing is not publishes(seen):
        yield Drift(
            Kind.INGRESS, ingest.session_id, expected, f"ingress {seen.status}", subject_id=ingress_id
        )


def publishes(ingress: Ingress) -> bool:
    return ingress.status == _PUBLISHING


def _leftovers(ingests: Mapping[str, SessionIngest], ingresses: Mapping[str, Ingress]) -> Iterator[Drift]:
    """Ours are those that are named after their room, which is a session."""
    for one in ingresses.values():
        ingest = ingests.get(one.room)
        ours = one.name == one.room and is_id(one.room)
        if ours and (ingest is None or ingest.ingress_id != one.ingress_id):
            expected = "session has no ingest" if ingest is None else "session has another ingress"
            observed = f"ingress {one.ingress_id}"
            yield Drift(Kind.INGRESS_LEFTOVER, one.room, expected, observed, subject_id=one.ingress_id)
