"""The spool folder: `segments/<key>/<epoch>/<n>.ts`, each complete once its `.json` lies beside it."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from shared.egress.segments import Segment
from shared.ids import new_id

_SEGMENTS = TypeAdapter(Segment)


@dataclass(frozen=True)
class SpooledSegment:
    """A finished segment; `record` is the file with `segment`, written last."""

    segment: Segment
    file: Path
    record: Path


class SpoolInUse(Exception):
    """Another recorder uses the folder."""


class Spool:
    """One recorder's folder. It holds the recorder's id: the process that has the folder is that recorder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.webhooks = folder / "reports"
        self._segments = folder / "segments"
        self._lock: int | None = None

    def open(self) -> str:
        """Lock the folder; returns the recorder's id. Raises SpoolInUse, OSError."""
        for folder in (self._segments, self.webhooks):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SpoolInUse(f"another recorder uses {self.folder}") from error
        self._clear_unfinished()
        return self._identity()

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def path(self, key: str, epoch: int, n: int) -> Path:
        """Where to write a segment; creates its folder."""
        folder = self._segments / key / str(epoch)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{n:06d}.ts"

    def complete(self, file: Path, segment: Segment) -> SpooledSegment:
        """Mark a segment's file as complete. Raises OSError."""
        record = file.with_suffix(".json")
        _write(record, _SEGMENTS.dump_json(segment))
        return SpooledSegment(segment, file, record)

    def waiting(self) -> list[SpooledSegment]:
        """All complete segments, in order."""
        found = [
            SpooledSegment(_SEGMENTS.validate_json(record.read_bytes()), record.with_suffix(".ts"), record)
            for record in self._segments.glob("*/*/*.json")
        ]
        return sorted(found, key=lambda one: (one.segment.key, one.segment.epoch, one.segment.n))

    def remove(self, spooled: SpooledSegment) -> None:
        """The record first: a file without one counts as unfinished."""
        spooled.record.unlink(missing_ok=True)
        spooled.file.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        """Remove a job's folders with the segments that wait in them."""
        folder = self._segments / key
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()

    def _identity(self) -> str:
        file = self.folder / "recorder-id"
        if not file.exists():
            _write(file, new_id().encode())
        return file.read_text().strip()

    def _clear_unfinished(self) -> None:
        """Remove what a dead recorder was writing: at most one segment of each job."""
        for path in list(self._segments.glob("*/*/*")):
            if path.suffix == ".new" or (path.suffix == ".ts" and not path.with_suffix(".json").exists()):
                path.unlink(missing_ok=True)


def _write(file: Path, content: bytes) -> None:
    """Write completely or not at all, even if the machine dies."""
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
