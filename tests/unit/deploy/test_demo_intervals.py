"""Arithmetic on intervals."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.comparison import ConnectionTimes, Interval, length, peak, union

INTERVALS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (float(min(pair)), float(max(pair))))
)


def test_overlaps_are_counted_once() -> None:
    assert union([(5, 9), (0, 3), (2, 6), (10, 11)]) == [(0, 9), (10, 11)]
    assert length([(0, 10), (2, 4), (8, 12)]) == 12


@given(INTERVALS)
def test_the_union_is_ordered_apart_and_no_longer_than_its_parts(intervals: list[Interval]) -> None:
    merged = union(intervals)
    assert all(before[1] < after[0] for before, after in pairwise(merged))
    assert length(intervals) == length(merged) <= sum(end - start for start, end in intervals)


def test_a_person_with_two_devices_counts_once() -> None:
    assert peak([[(0, 10), (2, 8)], [(3, 5)]]) == 2


def test_who_leaves_is_out_before_who_comes_is_in() -> None:
    assert peak([[(0, 5)], [(5, 9)]]) == 1
    assert peak([]) == 0


def test_a_stay_is_sure_and_possible() -> None:
    stay = ConnectionTimes(asked_at=1, joined_at=2)
    assert (stay.surely(9), stay.possibly(9)) == ((2, 9), (1, 9))
    stay.leaving_at, stay.gone_at = 6, 7
    assert (stay.surely(9), stay.possibly(9)) == ((2, 6), (1, 7))


@pytest.mark.parametrize("leaving_at", [0.0, 2.0])
def test_who_leaves_while_joining_was_surely_there_for_no_time(leaving_at: float) -> None:
    assert length([ConnectionTimes(asked_at=1, joined_at=2, leaving_at=leaving_at).surely(9)]) == 0
