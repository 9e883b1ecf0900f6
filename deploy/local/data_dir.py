"""The data directory of a stack: its files, how they are written, and the lock of its one supervisor."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy.local import StackError

DEFAULT_DATA_DIR = Path(".local")
# What the disk of the data directory should have left.
NEEDED_BYTES = 1_000_000_000


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file in one step: a reader sees either the old or the new text."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_json(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value, indent=2) + "\n")


class DamagedFile(StackError):
    """A file of the data directory does not hold what the stack wrote into it."""


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, None without such a file. Other content raises DamagedFile."""
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DamagedFile(f"{path} is damaged: restore it, or move it away to have a new one.")
    return value


def last_lines(path: Path, count: int, *, since: int = 0) -> list[str]:
    """The last lines of a log after byte `since`, without their newlines; none if the file is missing."""
    try:
        with path.open(errors="replace") as file:
            file.seek(max(since, path.stat().st_size - 64_000))
            return [line.rstrip() for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []


class UnusableDataDir(StackError):
    """The data directory cannot be made or written."""


@dataclass(frozen=True)
class DataDir:
    """The data directory of one stack (`.local` by default). Two directories are two independent stacks."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> DataDir:
        return cls(path.expanduser().resolve())

    def create(self) -> None:
        """Make the directory, readable by its owner only: it holds secrets. Raises UnusableDataDir."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.logs, self.holds):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise UnusableDataDir(
                f"The data directory {self.root} cannot be used: {error.strerror}."
            ) from error

    @property
    def stack_file(self) -> Path:
        """Addresses, sign-ins and processes, for people and programs; there only while the stack is ready."""
        return self.root / "stack.json"

    @property
    def state_file(self) -> Path:
        """What the supervisor knows of each component, for `greenroom status`."""
        return self.root / "state.json"

    @property
    def secrets_file(self) -> Path:
        return self.root / "secrets.json"

    @property
    def ports_file(self) -> Path:
        return self.root / "ports.json"

    @property
    def provision_file(self) -> Path:
        """The organization, host and API key made at the first start."""
        return self.root / "provision.json"

    @property
    def lock_file(self) -> Path:
        """Locked by the running supervisor, and holds its process id."""
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def holds(self) -> Path:
        """A file named after a component in here keeps the supervisor from restarting it."""
        return self.root / "hold"

    def hold(self, name: str) -> None:
        """Keep a component down until it is released."""
        (self.holds / name).touch()

    def release(self, name: str) -> None:
        (self.holds / name).unlink(missing_ok=True)

    def is_held(self, name: str) -> bool:
        return (self.holds / name).exists()

    @property
    def free_bytes(self) -> int:
        """The room left on the disk of this directory, which need not be there yet."""
        existing = next(path for path in (self.root, *self.root.parents) if path.exists())
        return shutil.disk_usage(existing).free

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def recording_of(self, session_id: str) -> Path | None:
        """The file of the session's recording, if this stack has it; of several, the newest."""
        files = (self.root / "data" / "storage" / "recordings" / session_id).glob("*.mp4")
        return max(files, key=lambda file: file.stat().st_mtime, default=None)

    def data_of(self, name: str) -> Path:
        """The private folder of one component, created on demand."""
        folder = self.root / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class AlreadyRunning(Exception):
    """Another supervisor runs on this data directory."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"a stack already runs here (process {pid})")
        self.pid = pid


@contextmanager
def locked(data: DataDir) -> Iterator[None]:
    """Hold the data directory for this process; the kernel releases it however the process ends.

    Raises AlreadyRunning if another process holds it.
    """
    with data.lock_file.open("a+") as file:
        if not _take(file):
            raise AlreadyRunning(_pid_in(data))
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def supervisor_of(data: DataDir) -> int | None:
    """The process id of the supervisor that runs on this data directory, or None."""
    try:
        with data.lock_file.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except BlockingIOError:
        return _pid_in(data)
    return None


def _take(file: IO[str]) -> bool:
    """Try for half a second: `supervisor_of` in another process holds the lock for a moment, too."""
    for _ in range(10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _pid_in(data: DataDir) -> int:
    text = data.lock_file.read_text().strip()
    return int(text) if text.isdigit() else 0
