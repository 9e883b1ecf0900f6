"""What every job of a recorder works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.recorder.spool.store import Spool
from services.recorder.spool.uploader import Uploader
from shared.clock import Clock
from shared.contracts.states import Role
from shared.egress.job_repository import JobRepository
from shared.egress.jobs import Job
from shared.egress.segment_repository import SegmentRepository
from shared.files.storage import Storage
from shared.livekit import JoinGrant, LiveKit, TokenMint
from shared.livekit.webhook_sender import Reports

_TOKEN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class JobContext:
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
