"""Recordings that still run although their egress is over, or was never planned."""

from datetime import timedelta

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.repository import EgressRepository
from services.egress.recordings.domain import Recording
from services.egress.recordings.lifecycle import RecordingLifecycle
from services.egress.recordings.repository import RecordingRepository
from shared.clock import Clock
from shared.egress.problems import EgressProblem

# A recording's row is written a moment before its egress is planned.
_ROW_GRACE = timedelta(minutes=1)


class RecordingDriftCheck:
    def __init__(
        self,
        recordings: RecordingRepository,
        lifecycle: RecordingLifecycle,
        egresses: EgressRepository,
        clock: Clock,
    ):
        self._recordings = recordings
        self._lifecycle = lifecycle
        self._egresses = egresses
        self._clock = clock

    async def differences(self) -> list[Drift]:
        running = await self._recordings.list_running(self._clock.now() - _ROW_GRACE)
        planned = await self._egresses.find_many([one.key for one in running]) if running else {}
        found = (_difference(one, planned.get(one.key)) for one in running)
        return [drift for drift in found if drift is not None]

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        """End it, with the file if the storage has it."""
        recording = await self._recordings.get(drift.subject_id)
        egress = await self._egresses.find(recording.key)
        if egress is None:
            now = self._clock.now()
            await self._recordings.change(recording.id, lambda one: one.fail(EgressProblem.NEVER_BEGUN, now))
        elif egress.over:
            await self._lifecycle.observe(egress)
        else:
            return None
        ended = await self._recordings.get(recording.id)
        return DriftCorrection(drift, f"recording {recording.id} is {ended.status.value}", estimated=False)


def _difference(recording: Recording, egress: PlannedEgress | None) -> Drift | None:
    if egress is not None and not egress.over:
        return None
    observed = "no egress planned" if egress is None else f"egress {egress.status.value}"
    return Drift(Kind.RECORDING, recording.session_id, "recording", observed, subject_id=recording.id)
