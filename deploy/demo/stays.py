"""Who was there, when: pure arithmetic on intervals of seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass
class Stay:
    """One connection's time in a room, as seen from outside.

    It was surely in between `joined_at` and `leaving_at`, surely out before `asked_at` and after `gone_at`.
    """

    asked_at: float
    joined_at: float
    leaving_at: float | None = None
    gone_at: float | None = None

    def surely(self, now: float) -> Interval:
        return self.joined_at, now if self.leaving_at is None else max(self.joined_at, self.leaving_at)

    def possibly(self, now: float) -> Interval:
        return self.asked_at, now if self.gone_at is None else self.gone_at


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time without overlaps, in order."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def length(intervals: Iterable[Interval]) -> float:
    """Seconds covered, each counted once."""
    return sum(end - start for start, end in union(intervals))


def peak(people: Iterable[Sequence[Interval]]) -> int:
    """The most people present at one moment; whoever is there twice counts once.

    At the same moment, who leaves is out before who comes is in.
    """
    changes = [
        change
        for intervals in people
        for start, end in union(intervals)
        for change in ((start, 1), (end, -1))
    ]
    present = most = 0
    for _, change in sorted(changes):
        present += change
        most = max(most, present)
    return most
