"""What every job of a recorder works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.egress.recorder.jobs.domain import Job
from services.egress.recorder.jobs.repository import JobRepository
from services.egress.recorder.spool.store import Spool
from services.egress.recorder.spool.uploader import Uploader
from services.egress.reports.sender import Reports
from services.egress.segments.repository import SegmentRepository
from shared.clock import Clock
from shared.contracts.states import Role
from shared.livekit import JoinGrant, LiveKit, TokenMint
from shared.storage import Storage

_TOKEN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Tools:
    jobs: JobRepository
    segments: SegmentRepository
    storage: Storage
    spool: Spool
    uploader: Uploader
    reports: Reports
    livekit: LiveKit
    mint: TokenMint
    clock: Clock
    livekit_url: str
    preset: str

    def token(self, job: Job) -> str:
        """Lets the holder of the job's epoch into its room: unseen, and marked as a recorder."""
        grant = JoinGrant(
            room=job.session_id,
            identity=f"{job.egress_id}:{job.epoch}",
            name="Recorder",
            role=Role.AUDIENCE,
            hidden=True,
            recorder=True,
        )
        return self.mint.join_token(grant, lifetime=_TOKEN_LIFETIME)
