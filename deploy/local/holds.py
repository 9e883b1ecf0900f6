"""Keeping a component down on purpose: a file named after it says that it is not to be restarted."""

from __future__ import annotations

from deploy.local.layout import DataDir


class Holds:
    """The holds on one data directory. A supervisor starts with none."""

    def __init__(self, data: DataDir) -> None:
        self._folder = data.holds

    def place(self, name: str) -> None:
        (self._folder / name).touch()

    def release(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def held(self, name: str) -> bool:
        return (self._folder / name).exists()

    def release_all(self) -> None:
        for file in self._folder.iterdir():
            file.unlink()
