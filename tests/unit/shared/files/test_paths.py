"""Links that need no credentials: for one thing, for one purpose, for a while."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Forbidden, Unavailable
from shared.files.paths import PathSigner, is_key, is_token
from shared.runtime.rotating_secret import RotatingSecret
from tests.fakes.fake_clock import FakeClock

HOUR = timedelta(hours=1)


def test_a_token_is_for_one_subject_and_ends() -> None:
    clock = FakeClock()
    signer = PathSigner(RotatingSecret("secret"), "hls", clock)
    token = signer.sign("a", clock.now() + HOUR)
    signer.verify(token, "a")
    with pytest.raises(Forbidden, match="not valid"):
        signer.verify(token, "b")
    clock.advance(hours=1)
    with pytest.raises(Forbidden, match="expired"):
        signer.verify(token, "a")


def test_a_token_is_for_one_purpose_under_one_secret() -> None:
    clock = FakeClock()
    token = PathSigner(RotatingSecret("secret"), "hls", clock).sign("a", clock.now() + HOUR)
    for other in (
        PathSigner(RotatingSecret("secret"), "recordings", clock),
        PathSigner(RotatingSecret("other"), "hls", clock),
    ):
        with pytest.raises(Forbidden):
            other.verify(token, "a")
    PathSigner(RotatingSecret("secret"), "hls", clock).verify(token, "a")


@given(st.text(max_size=80))
def test_nothing_made_up_is_valid(text: str) -> None:
    with pytest.raises(Forbidden):
        PathSigner(RotatingSecret("secret"), "hls", FakeClock()).verify(text, "a")


def test_a_token_is_one_plain_segment_of_a_path() -> None:
    clock = FakeClock()
    token = PathSigner(RotatingSecret("secret"), "hls", clock).sign("a", clock.now())
    assert is_token(token)
    assert is_key(token)
    assert not is_token("0190a5d0-ac96-774b-bcce-b302099a8057")


def test_without_a_secret_nothing_is_signed_and_nothing_is_valid() -> None:
    clock = FakeClock()
    with pytest.raises(Unavailable):
        PathSigner(RotatingSecret(""), "hls", clock).sign("a", clock.now() + HOUR)
    with pytest.raises(Forbidden):
        PathSigner(RotatingSecret(""), "hls", clock).verify(
            PathSigner(RotatingSecret("s"), "hls", clock).sign("a", clock.now() + HOUR), "a"
        )
