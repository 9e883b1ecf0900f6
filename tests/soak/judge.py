"""Whether a series of samples is flat: what it grew by, by a slope that outliers do not move."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

# Theil and Sen's slope looks at every pair: of more points than these, neighbours are first made one.
_MOST_POINTS = 120


@dataclass(frozen=True)
class Tolerance:
    """How much a series may grow while it is judged: a share of its middle, and at least `least`."""

    share: float
    least: float

    def of(self, middle: float) -> float:
        return max(self.least, self.share * middle)


@dataclass(frozen=True)
class Trend:
    """`growth` is the slope times the time that was judged, in the unit of the samples."""

    first: float
    median: float
    highest: float
    last: float
    growth: float
    allowed: float

    @property
    def flat(self) -> bool:
        return self.growth <= self.allowed


def judge(samples: Sequence[tuple[float, float]], warm_up: float, tolerance: Tolerance) -> Trend:
    """The trend of (seconds, value) after the first `warm_up` seconds. ValueError for under 3 samples."""
    kept = [(at, value) for at, value in samples if at >= warm_up]
    if len(kept) < 3:
        raise ValueError(f"{len(kept)} samples after {warm_up:g} s say nothing of a trend")
    values = [value for _, value in kept]
    growth = slope(thinned(kept)) * (kept[-1][0] - kept[0][0])
    middle = median(values)
    return Trend(values[0], middle, max(values), values[-1], growth, tolerance.of(middle))


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs (Theil and Sen): a third of the points may be anything."""
    return median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 > x1)


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `_MOST_POINTS`, each the median of neighbours."""
    each = -(-len(points) // _MOST_POINTS)
    groups = [points[start : start + each] for start in range(0, len(points), each)]
    return [(median(at for at, _ in group), median(value for _, value in group)) for group in groups]
