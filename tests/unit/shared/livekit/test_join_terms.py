"""When tokens let people in, and what they say of their terms."""

from datetime import datetime, timedelta

import pytest

from shared.livekit.join_terms import LEEWAY, JoinTerms, JoinWindow
from tests.unit.session.builders import T0

LIFETIME = timedelta(minutes=10)


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else T0 + timedelta(seconds=seconds)


def accepted(window: JoinWindow, lifetime: timedelta = LIFETIME) -> tuple[float, float]:
    """From when to when LiveKit accepts the token, in seconds from now."""
    not_before, expires = window.validity(T0, lifetime)
    leeway, now = LEEWAY.total_seconds(), T0.timestamp()
    return not_before - leeway - now, expires + leeway - now


@pytest.mark.parametrize(
    ("opens", "closes", "expected"),
    [
        (None, None, (-60, 660)),
        (100, None, (100, 760)),
        (100.2, None, (101, 760)),
        (-100, None, (-60, 660)),
        (None, 300, (-60, 300)),
        (None, 300.9, (-60, 300)),
        (None, 600, (-60, 600)),
        (None, 601, (-60, 660)),
        (20, 30, (20, 30)),
    ],
)
def test_windows_are_exact_and_lifetimes_as_livekit_takes_them(
    opens: float | None, closes: float | None, expected: tuple[float, float]
) -> None:
    assert accepted(JoinWindow(opens_at=at(opens), closes_at=at(closes))) == expected


def test_two_windows_allow_what_both_do() -> None:
    one, other = JoinWindow(opens_at=at(1), closes_at=at(9)), JoinWindow(opens_at=at(2))
    assert one.within(other) == other.within(one) == JoinWindow(opens_at=at(2), closes_at=at(9))
    assert one.within(JoinWindow()) == one


def test_terms_are_read_as_they_were_written() -> None:
    terms = JoinTerms(external_user_id="c-1", remove_at=at(5.5), remove_after=60, ends_session=True)
    assert JoinTerms.of(terms.attributes) == terms
    assert JoinTerms().attributes == {}


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e3"])
def test_attributes_that_are_no_terms_are_none(value: str) -> None:
    attributes = {"greenroom.remove_at": value, "greenroom.remove_after": value}
    assert JoinTerms.of(attributes) == JoinTerms()
