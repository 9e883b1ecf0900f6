"""Why an egress, its stream or its recording ended or failed, in the words that hosts and operators read."""

from enum import StrEnum


class EgressProblem(StrEnum):
    """The reasons that Greenroom gives itself; LiveKit Egress has further ones in its own words.

    `NO_START_SIGNAL` is LiveKit Egress's text for an egress that ended before any media came.
    """

    WORKER_DIED = "Its worker died"
    LOST_BY_ENGINE = "The engine lost it"
    DOES_NOT_END = "It does not end: its worker seems to be dead"
    STOPPED_EARLY = "It was stopped before it was started"
    ENDED_BY_ITSELF = "The stream ended by itself"
    STORAGE_FULL = "The storage is full"
    DISK_FULL = "The disk of the recorder is full"
    NO_START_SIGNAL = "Start signal not received"
    NOTHING_RECORDED = "Nothing was recorded: it ended before any media came"
    FILE_MISSING = "The file is not in the storage"
    FILE_GONE = "The file is gone from the storage"
    NEVER_BEGUN = "It was never begun"
    NOTHING_LEFT = "There is no file, and nothing is left to make it of"
