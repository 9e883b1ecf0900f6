"""Which jobs may be taken, and what is missing where one was taken over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.recorder.jobs.finalizer import gaps, lost_gaps, parts
from services.recorder.jobs.worker import Leases
from shared.egress.engine import EgressOrder, EncodingOptions
from shared.egress.jobs import (
    LEASE_SECONDS,
    Gap,
    Job,
    RegisteredRecorder,
    egress_id_of,
    job_of,
    live_recorders,
)
from shared.egress.segments import Segment

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ORDER = EgressOrder(
    key="k" * 32, session_id="s", segments_prefix=None, file_key="f.mp4", encoding=EncodingOptions()
)
FRESH = job_of(ORDER, NOW)
HELD = replace(FRESH, epoch=1, recorder_id="other")


def free(leases: Leases, job: Job, now: float, held: int = 0) -> bool:
    return leases.free([job], now, held=held) == [job]


def test_a_new_job_is_taken_immediately_by_who_has_none() -> None:
    assert free(Leases("me"), FRESH, 10.0)


def test_who_has_jobs_lets_others_be_faster() -> None:
    leases = Leases("me")
    assert not free(leases, FRESH, 10.0, held=2)
    assert free(leases, FRESH, 11.0, held=2)


def test_a_job_whose_holder_lives_is_left_alone() -> None:
    leases = Leases("me")
    assert not any(free(leases, replace(HELD, beat=n // 2), float(n)) for n in range(60))


def test_a_job_whose_lease_does_not_change_is_taken_over() -> None:
    leases = Leases("me")
    seen = [free(leases, HELD, n * 0.5) for n in range(15)]
    assert seen.index(True) * 0.5 == LEASE_SECONDS


def test_who_looked_away_begins_to_wait_again() -> None:
    """A database that was away was away for the holder, too."""
    leases = Leases("me")
    for n in range(10):
        assert not free(leases, HELD, n * 0.5)
    leases.reset()
    assert not free(leases, HELD, 20.0)
    assert not free(leases, HELD, 21.0)
    assert not free(Leases("me"), HELD, 100.0)


def test_who_was_frozen_begins_to_wait_again() -> None:
    leases = Leases("me")
    assert not free(leases, HELD, 0.0)
    assert not free(leases, HELD, 30.0)


def test_what_an_earlier_process_of_mine_had_is_mine_immediately() -> None:
    assert free(Leases("other"), HELD, 0.0, held=3)


def test_an_egress_has_the_same_id_for_the_same_key() -> None:
    assert egress_id_of("0" * 20 + "abcdefabcdef") == "EG_abcdefabcdef"


def test_recorders_that_were_not_seen_lately_are_none() -> None:
    seen = [
        RegisteredRecorder(id=str(n), seen_at=NOW - timedelta(seconds=10 * n), jobs=0, capacity=4)
        for n in range(3)
    ]
    assert [one.id for one in live_recorders(seen, NOW)] == ["0", "1"]


def segment(epoch: int, n: int, at: float, *, lasts: float = 2.0, broken: bool = False) -> Segment:
    return Segment(
        key="k",
        session_id="s",
        epoch=epoch,
        n=n,
        path=f"hls/s/k/{epoch}/{n:06d}.ts",
        starts_at=NOW + timedelta(seconds=at),
        duration=lasts,
        size=1,
        discontinuity=broken,
    )


def test_what_is_missing_between_two_recorders_is_stated() -> None:
    segments = [segment(1, 0, 0), segment(1, 1, 2), segment(2, 0, 13), segment(2, 1, 15)]
    assert [len(part) for part in parts(segments)] == [2, 2]
    assert gaps(segments, NOW) == (Gap(after_seconds=4.0, seconds=9.0),)


def test_what_a_frozen_recorder_missed_is_stated() -> None:
    segments = [segment(1, 0, 0, lasts=1.5), segment(1, 1, 20, broken=True)]
    assert gaps(segments, NOW) == (Gap(after_seconds=1.5, seconds=18.5),)


def test_a_segment_that_was_lost_is_stated() -> None:
    assert gaps([segment(1, 0, 0), segment(1, 2, 4)], NOW) == (Gap(after_seconds=2.0, seconds=2.0),)


@pytest.mark.parametrize(("late", "missing"), [(1.0, ()), (9.0, (Gap(after_seconds=0.0, seconds=9.0),))])
def test_a_recorder_that_died_before_its_first_segment(late: float, missing: tuple[Gap, ...]) -> None:
    assert gaps([segment(2, 0, late)], NOW) == missing


def test_nothing_is_missing_where_nothing_is() -> None:
    assert gaps([segment(1, n, 2 * n + 0.03 * (n % 2)) for n in range(50)], NOW) == ()
    assert gaps([], NOW) == ()


@pytest.mark.parametrize(
    ("lost", "stated"),
    [
        ((), ()),
        ((1, 2), (Gap(after_seconds=2.0, seconds=4.0),)),
        ((0, 4), (Gap(after_seconds=0.0, seconds=2.0), Gap(after_seconds=8.0, seconds=2.0))),
    ],
)
def test_what_the_file_lacks_is_stated(lost: tuple[int, ...], stated: tuple[Gap, ...]) -> None:
    segments = [segment(1, n, 2 * n) for n in range(5)]
    assert lost_gaps(segments, [segments[n] for n in lost]) == stated
