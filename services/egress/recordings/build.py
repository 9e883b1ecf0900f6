"""Recordings put together."""

from dataclasses import dataclass

from services.egress.access.service import SessionAccess
from services.egress.egresses.build import EgressParts
from services.egress.recordings.egress_observer import EgressObserver
from services.egress.recordings.files import RecordingFiles
from services.egress.recordings.housekeeping import Housekeeping, RetentionLimits
from services.egress.recordings.orphans import StorageOrphans
from services.egress.recordings.repository import RecordingRepository
from services.egress.recordings.retrying import RecordingRetry
from services.egress.recordings.service import RecordingService, ReleaseFile
from services.egress.recordings.starter import RecordingStarter
from services.egress.recordings.stuck_recordings import StuckRecordings
from shared.clock import Clock
from shared.files.storage import Storage


@dataclass(frozen=True)
class RecordingParts:
    service: RecordingService
    files: RecordingFiles
    observer: EgressObserver
    retry: RecordingRetry
    orphans: StorageOrphans
    housekeeping: Housekeeping
    check: StuckRecordings


def build_recordings(
    repository: RecordingRepository,
    starter: RecordingStarter,
    files: RecordingFiles,
    egresses: EgressParts,
    access: SessionAccess,
    storage: Storage,
    clock: Clock,
    *,
    limits: RetentionLimits,
    release_file: ReleaseFile,
) -> RecordingParts:
    observer = EgressObserver(repository, storage, clock)
    orphans = StorageOrphans(repository, storage, clock)
    return RecordingParts(
        service=RecordingService(
            repository, starter, files, egresses.service, access, clock, release_file=release_file
        ),
        files=files,
        observer=observer,
        retry=RecordingRetry(repository, egresses.service, observer, storage, egresses.engine.remake, clock),
        orphans=orphans,
        housekeeping=Housekeeping(repository, files, orphans, clock, limits=limits),
        check=StuckRecordings(repository, observer, egresses.repository, clock),
    )
