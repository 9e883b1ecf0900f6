"""A finished segment as it waits on disk."""

from dataclasses import dataclass
from pathlib import Path

from shared.egress.segments import Segment


@dataclass(frozen=True)
class SpooledSegment:
    """`file` holds what `segment` tells of; `note` is the record beside it, written last."""

    segment: Segment
    file: Path
    note: Path
