"""Ingests as we believe them to be, against the ingresses that there are. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from services.egress.ingest.domain import SessionIngest
from services.egress.reconciler.domain import Kind, Repair
from shared.ids import is_id
from shared.livekit.ports import Ingress

# Neither publishing nor not: media comes in, and is not let into the room yet.
_UNDECIDED = "buffering"
_PUBLISHING = "publishing"


def compare(
    opened: Iterable[SessionIngest], listed: Iterable[Ingress], over: Collection[str]
) -> list[Repair]:
    """The differences; `over` are sessions that are known to be over. What is being made is left alone."""
    ingests = {one.session_id: one for one in opened}
    ingresses = {one.ingress_id: one for one in listed}
    return [
        repair
        for repair in (*_ours(ingests, ingresses, over), *_leftovers(ingests, ingresses))
        if not (repair.session_id in ingests and ingests[repair.session_id].claimed)
    ]


def _ours(
    ingests: Mapping[str, SessionIngest], ingresses: Mapping[str, Ingress], over: Collection[str]
) -> Iterator[Repair]:
    for session_id, ingest in ingests.items():
        if session_id in over:
            observed = f"ingress {ingest.ingress_id or 'being made'}"
            yield Repair(
                Kind.INGRESS_LEFTOVER, session_id, "session over", observed, thing=ingest.ingress_id or ""
            )
        elif ingest.ingress_id is not None:
            yield from _differs(ingest, ingest.ingress_id, ingresses.get(ingest.ingress_id))


def _differs(ingest: SessionIngest, ingress_id: str, seen: Ingress | None) -> Iterator[Repair]:
    believed = f"ingress {_PUBLISHING if ingest.publishing else 'idle'}"
    if seen is None:
        yield Repair(Kind.INGRESS_LOST, ingest.session_id, believed, "no such ingress", thing=ingress_id)
    elif seen.status != _UNDECIDED and ingest.publishing is not publishes(seen):
        yield Repair(Kind.INGRESS, ingest.session_id, believed, f"ingress {seen.status}", thing=ingress_id)


def publishes(ingress: Ingress) -> bool:
    return ingress.status == _PUBLISHING


def _leftovers(ingests: Mapping[str, SessionIngest], ingresses: Mapping[str, Ingress]) -> Iterator[Repair]:
    """Ours are those that are named after their room, which is a session."""
    for one in ingresses.values():
        ingest = ingests.get(one.room)
        ours = one.name == one.room and is_id(one.room)
        if ours and (ingest is None or ingest.ingress_id != one.ingress_id):
            believed = "session has no ingest" if ingest is None else "session has another ingress"
            observed = f"ingress {one.ingress_id}"
            yield Repair(Kind.INGRESS_LEFTOVER, one.room, believed, observed, thing=one.ingress_id)
