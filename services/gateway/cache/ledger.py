"""What changed when: decides whether an answer that was asked for a while ago may still be given."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

_REMEMBERED: Final = 50_000


class Ledger:
    """Numbers every change. `mark` before asking; an answer is `current` while its tags are unchanged."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._number = 0
        # Nothing that was asked for before this is current: what changed by then is not remembered singly.
        self._floor = 0
        self._changed: OrderedDict[str, int] = OrderedDict()
        self._remembered = remembered

    def mark(self) -> int:
        return self._number

    def change(self, tags: Iterable[str]) -> None:
        self._number += 1
        for tag in tags:
            self._changed[tag] = self._number
            self._changed.move_to_end(tag)
        while len(self._changed) > self._remembered:
            _, self._floor = self._changed.popitem(last=False)

    def change_all(self) -> None:
        self._number += 1
        self._floor = self._number
        self._changed.clear()

    def current(self, mark: int, tags: Iterable[str]) -> bool:
        return mark >= self._floor and all(self._changed.get(tag, 0) <= mark for tag in tags)
