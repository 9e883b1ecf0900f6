"""Which segments of an egress are continuous, and what is missing between them. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.egress.jobs import Gap
from shared.egress.segments import Segment

# Seconds. Less is what starting takes anyway, or a clock that was set.
_NO_GAP = 0.5
_SLOW_START = 5.0
_SAME = 0.01


def parts(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments in order, in runs with continuous timestamps."""
    found: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda one: (one.epoch, one.n)):
        last = found[-1][-1] if found else None
        if last is None or segment.discontinuity or segment.epoch != last.epoch or segment.n != last.n + 1:
            found.append([])
        found[-1].append(segment)
    return found


def lost_gaps(segments: Sequence[Segment], lost: Sequence[Segment]) -> tuple[Gap, ...]:
    """What the file lacks because the files of the `lost` segments are gone: one gap for those in a row."""
    found: list[Gap] = []
    ids = {segment.id for segment in lost}
    played = 0.0
    for segment in segments:
        if segment.id in ids:
            after, before = played, 0.0
            if found and abs(found[-1].after_seconds + found[-1].seconds - played) < _SAME:
                last = found.pop()
                after, before = last.after_seconds, last.seconds
            found.append(Gap(after_seconds=round(after, 3), seconds=round(before + segment.duration, 3)))
        played += segment.duration
    return tuple(found)


def gaps(segments: Sequence[Segment], started_at: datetime | None) -> tuple[Gap, ...]:
    """What is missing: before the first part, if it began late, and between the parts."""
    found: list[Gap] = []
    played = 0.0
    last_end = started_at
    for number, part in enumerate(parts(segments)):
        least = _NO_GAP if number else _SLOW_START
        missing = (part[0].starts_at - last_end).total_seconds() if last_end else 0.0
        if missing > least:
            found.append(Gap(after_seconds=round(played, 3), seconds=round(missing, 3)))
        played += sum(segment.duration for segment in part)
        last_end = part[-1].starts_at + timedelta(seconds=part[-1].duration)
    return tuple(found)
