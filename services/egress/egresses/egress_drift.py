"""Egresses that run although nothing needs them: not planned, failed here, or outliving their session."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.repository import EgressRepository
from services.egress.egresses.service import EgressService
from services.egress.sessions.projection import EgressSessionProjection, KnownSession
from shared.egress.engine import EgressInfo, EgressStatus, Engine
from shared.ids import is_id

_RUNS = frozenset({EgressStatus.STARTING, EgressStatus.ACTIVE})


class EgressDriftCheck:
    """Compares what the engine runs, and what is planned, with what sessions want."""

    def __init__(
        self,
        engine: Engine,
        egresses: EgressRepository,
        service: EgressService,
        sessions: EgressSessionProjection,
    ):
        self._engine = engine
        self._egresses = egresses
        self._service = service
        self._sessions = sessions

    async def differences(self) -> list[Drift]:
        running = await self._engine.list_running()
        planned = await self._planned(running)
        wanted = await self._egresses.wanted()
        rooms = {one.session_id for one in running if is_id(one.session_id)}
        known = await self._sessions.known(list(rooms | {one.session_id for one in wanted}))
        return [*unplanned(running, planned, known), *outlived(wanted, known)]

    async def _planned(self, running: Sequence[EgressInfo]) -> dict[str, PlannedEgress]:
        keys = [one.key for one in running if one.key is not None]
        return await self._egresses.find_many(keys) if keys else {}

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        planned = await self._egresses.find(drift.subject_id)
        if planned is not None:
            return await self._stop_planned(drift, planned)
        running = [one for one in await self._engine.list_running() if one.egress_id == drift.subject_id]
        plans = await self._planned(running)
        if not running or belongs(running[0], plans.get(running[0].key or "")):
            return None
        if await self._engine.answers(drift.subject_id, drift.session_id, running[0].status) is False:
            return None  # Nothing runs: LiveKit lists what a worker reported that is dead.
        await self._engine.stop(drift.subject_id)
        return DriftCorrection(drift, f"egress {drift.subject_id} asked to stop", estimated=False)

    async def _stop_planned(self, drift: Drift, planned: PlannedEgress) -> DriftCorrection | None:
        known = await self._sessions.ask(drift.session_id)
        if planned.over or not planned.wanted or (known is not None and not known.over):
            return None
        await self._service.stop(planned.id)
        return DriftCorrection(drift, f"egress {planned.egress_id or planned.id} is stopped", estimated=False)


def unplanned(
    running: Iterable[EgressInfo],
    planned: Mapping[str, PlannedEgress],
    known: Mapping[str, KnownSession],
) -> Iterator[Drift]:
    """Running egresses without a plan, in rooms of ours; `planned` by key, `known` by session.

    One that writes to our paths is ours even if its session is no longer known.
    """
    for one in running:
        ours = one.key is not None or one.session_id in known
        if one.status in _RUNS and ours and not belongs(one, planned.get(one.key or "")):
            plan = "over" if one.key in planned else "not planned"
            observed = f"egress {one.egress_id} {one.status.value}"
            yield Drift(Kind.EGRESS_LEFTOVER, one.session_id, plan, observed, subject_id=one.egress_id)


def belongs(one: EgressInfo, plan: PlannedEgress | None) -> bool:
    """Whether it is the one planned; a plan whose start had no answer may mean any with its key.

    One whose worker died is stopped by the worker of planned egresses, for as long as it may wake.
    """
    if plan is None or plan.egress_id not in {None, one.egress_id}:
        return False
    return plan.died or not plan.over


def outlived(wanted: Iterable[PlannedEgress], known: Mapping[str, KnownSession]) -> Iterator[Drift]:
    """Planned egresses that are still running although their session is over."""
    for one in wanted:
        session = known.get(one.session_id)
        if session is not None and session.over:
            expected = "session deleted" if session.deleted else f"session {session.state.status.value}"
            observed = f"egress {one.status.value}"
            yield Drift(Kind.EGRESS_LEFTOVER, one.session_id, expected, observed, subject_id=one.id)
