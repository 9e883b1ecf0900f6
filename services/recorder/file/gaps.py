"""What of an egress belongs together, and what is missing between. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.egress.jobs import Gap
from shared.egress.segments import Segment

# Seconds. Less is what starting takes anyway, or a clock that was set.
_NO_GAP = 0.5
_SLOW_START = 5.0
_SAME = 0.01


def parts(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments in order, in runs whose timestamps carry on."""
    found: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda one: (one.epoch, one.n)):
        last = found[-1][-1] if found else None
        if last is None or segment.discontinuity or segment.epoch != last.epoch or segment.n != last.n + 1:
            found.append([])
        found[-1].append(segment)
    return found


def holes(segments: Sequence[Segment], missing: Sequence[Segment]) -> tuple[Gap, ...]:
    """What the file lacks since the files of these segments are gone: one gap for those in a row."""
    found: list[Gap] = []
    lost = {segment.id for segment in missing}
    shown = 0.0
    for segment in segments:
        if segment.id in lost:
            last = found[-1] if found else None
            joined = last is not None and abs(last.after_seconds + last.seconds - shown) < _SAME
            after, before = (last.after_seconds, last.seconds) if last and joined else (shown, 0.0)
            found = found[:-1] if joined else found
            found.append(Gap(after_seconds=round(after, 3), seconds=round(before + segment.duration, 3)))
        shown += segment.duration
    return tuple(found)


def gaps(segments: Sequence[Segment], started_at: datetime | None) -> tuple[Gap, ...]:
    """What is missing: before the first part, where it came late, and between the parts."""
    found: list[Gap] = []
    shown = 0.0
    last_end = started_at
    for number, part in enumerate(parts(segments)):
        least = _NO_GAP if number else _SLOW_START
        missing = (part[0].starts_at - last_end).total_seconds() if last_end else 0.0
        if missing > least:
            found.append(Gap(after_seconds=round(shown, 3), seconds=round(missing, 3)))
        shown += sum(segment.duration for segment in part)
        last_end = part[-1].starts_at + timedelta(seconds=part[-1].duration)
    return tuple(found)
