"""What a benchmark reports: figures beside what the same machine does barely, in the same run."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """`ratio` is ours over the baseline; the goal is at least `goal`, or at most where `at_most`.

    A `difference` of two times that were measured alike may fall below zero on a busy machine.
    """

    what: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_of: str = ""
    goal: float | None = None
    at_most: bool = False
    absolute: bool = False
    difference: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; goals that are `absolute` are in the row's own unit."""
        measured = self.value if self.absolute else self.ratio
        if self.goal is None or measured is None:
            return None
        return measured <= self.goal if self.at_most else measured >= self.goal

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "value": round(self.value, 3),
            "unit": self.unit,
            "baseline": round(self.baseline, 3) if self.baseline is not None else None,
            "baseline_of": self.baseline_of,
            "ratio": round(self.ratio, 3) if self.ratio is not None else None,
            "goal": self.goal,
            "goal_is": ("at most" if self.at_most else "at least") if self.goal is not None else None,
            "reached": self.reached,
            "note": self.note,
        }
