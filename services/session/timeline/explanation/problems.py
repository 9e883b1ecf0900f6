"""What the errors of streams and recordings mean, and what helps. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.egress.problems import EgressProblem


@dataclass(frozen=True)
class KnownProblem:
    """`reason` is a word for programs."""

    reason: str
    text: str


_NO_MEDIA: Final = "it ended before any picture or sound came: nobody published, or no worker was free"
_RETRY: Final = "POST /admin/recordings/{id}/retry makes the file of what is left"

MEANINGS: Final[Mapping[EgressProblem, str]] = {
    EgressProblem.WORKER_DIED: "the egress worker that made it died, froze or lost its network",
    EgressProblem.LOST_BY_ENGINE: "LiveKit no longer knew of its egress: Redis lost it, or the worker ended",
    EgressProblem.DOES_NOT_END: "it was asked to end and never did: its worker seems to be dead",
    EgressProblem.STOPPED_EARLY: "it was stopped before it began: its session ended, or no worker was free",
    EgressProblem.ENDED_BY_ITSELF: "its egress ended although the stream was still wanted",
    EgressProblem.STORAGE_FULL: f"the storage had no room left; free some, then {_RETRY}",
    EgressProblem.DISK_FULL: f"the recorder's own disk (GREENROOM_SPOOL) was full; free some, then {_RETRY}",
    EgressProblem.NO_START_SIGNAL: _NO_MEDIA,
    EgressProblem.NOTHING_RECORDED: _NO_MEDIA,
    EgressProblem.FILE_MISSING: f"its file did not arrive in the storage; {_RETRY}",
    EgressProblem.FILE_GONE: "its file was there and something else has deleted it from the storage",
    EgressProblem.NEVER_BEGUN: "its egress was never planned: the egress service was stopped right then",
    EgressProblem.NOTHING_LEFT: "it was retried, and neither a file nor segments are left",
}
# What others say, by a part of it that stays.
_OTHERS: Final[Mapping[str, KnownProblem]] = {
    "No recorder runs": KnownProblem("no_worker", "no recorder runs: start `greenroom recorder`"),
    "All recorders are busy": KnownProblem("no_worker", "all recorders are busy: start another one"),
    "no response from servers": KnownProblem("no_worker", "no LiveKit Egress worker is free or runs at all"),
    "no egress worker": KnownProblem("no_worker", "no LiveKit Egress worker is free or runs at all"),
    "LiveKit": KnownProblem("livekit_unavailable", "LiveKit did not answer or refused it"),
    "are missing": KnownProblem("incomplete", "its recorder or LiveKit died or was away in between"),
}
_UNKNOWN: Final = KnownProblem("other", "the engine gave this reason itself")


def meaning_of(error: str) -> KnownProblem:
    """What an error means; errors may be several in one text, of which the first known counts."""
    for problem, text in MEANINGS.items():
        if problem.value in error:
            return KnownProblem(problem.name.lower(), text)
    return next((known for part, known in _OTHERS.items() if part in error), _UNKNOWN)
