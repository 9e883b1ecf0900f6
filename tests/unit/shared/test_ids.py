"""Ids sort by the time they were made."""

from datetime import UTC, datetime, timedelta

from shared.ids import first_id_at, is_id, new_id


def test_the_first_id_of_a_moment_parts_the_earlier_from_the_later() -> None:
    now = datetime.now(UTC)
    first = first_id_at(now)
    assert is_id(first)
    assert first_id_at(now - timedelta(milliseconds=2)) < first <= new_id()
    assert new_id() < first_id_at(now + timedelta(hours=1))
    assert is_id(first_id_at(datetime(1900, 1, 1, tzinfo=UTC)))
