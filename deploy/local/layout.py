"""Where a stack keeps its things: one data directory, one place for each file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class UnusableDataDir(Exception):
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

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def film_of(self, session_id: str) -> Path | None:
        """The file of the session's recording, where this stack has it; of several, the newest."""
        files = (self.root / "data" / "storage" / "recordings" / session_id).glob("*.mp4")
        return max(files, key=lambda file: file.stat().st_mtime, default=None)

    def data_of(self, name: str) -> Path:
        """The private folder of one component, made when asked for."""
        folder = self.root / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder
