"""What every job of a recorder works with."""

from dataclasses import dataclass

from services.recorder.room.room_session import RoomAccess
from services.recorder.spool.spool import Spool
from services.recorder.spool.uploader import Uploader
from shared.clock import Clock
from shared.egress.job_repository import JobRepository
from shared.egress.segments import SegmentRepository
from shared.files.storage import Storage
from shared.livekit.webhook_sender import WebhookSender


@dataclass(frozen=True)
class JobContext:
    """Shared by all jobs; the uploader brings segments from the spool to `storage` and `segments`."""

    jobs: JobRepository
    segments: SegmentRepository
    storage: Storage
    uploader: Uploader
    webhooks: WebhookSender
    room_access: RoomAccess
    clock: Clock
    x264_preset: str

    @property
    def spool(self) -> Spool:
        return self.uploader.spool
