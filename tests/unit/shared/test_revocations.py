"""What services know of sign-ins that are over."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.contracts.states import UserRole
from shared.errors import Unauthenticated, Unavailable
from shared.identity import ACCESS_LIFETIME, Caller, TokenIssuer, TokenVerifier
from shared.revocations import KEPT, Revocations, Revoked
from shared.testing.fake_clock import FakeClock

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
HANNA = Caller("u-1", "s-1", "o-1", UserRole.HOST, "Hanna")


class Owner:
    """The session service: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.revoked: list[Revoked] = []
        self.asked: list[datetime] = []
        self.away = False

    async def since(self, moment: datetime) -> Sequence[Revoked]:
        if self.away:
            raise Unavailable("away")
        self.asked.append(moment)
        return [one for one in self.revoked if one.at >= moment]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def revocations(clock: FakeClock) -> Revocations:
    return Revocations(clock)


async def test_a_verified_token_ends_with_its_sign_in(clock: FakeClock, revocations: Revocations) -> None:
    public = base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).decode()
    verifier = TokenVerifier({"k1": public}, clock, revocations)
    token, _ = TokenIssuer(KEY.private_bytes_raw(), "k1", clock).issue(HANNA)
    assert verifier.verify(token) == HANNA
    revocations.add([Revoked(id=HANNA.sign_in_id, at=clock.now())])
    with pytest.raises(Unauthenticated) as refused:
        verifier.verify(token)
    assert refused.value.code == "token_revoked"


async def test_what_was_revoked_before_the_start_is_known(clock: FakeClock, revocations: Revocations) -> None:
    owner = Owner()
    owner.revoked.append(Revoked(id="s-1", at=clock.now() - ACCESS_LIFETIME))
    await revocations.update(owner)
    assert "s-1" in revocations
    assert "s-2" not in revocations


async def test_each_update_asks_for_what_is_new(clock: FakeClock, revocations: Revocations) -> None:
    owner = Owner()
    await revocations.update(owner)
    clock.advance(seconds=1)
    owner.revoked.append(Revoked(id="s-1", at=clock.now()))
    clock.advance(seconds=1)
    await revocations.update(owner)
    assert "s-1" in revocations
    assert clock.now() - owner.asked[-1] < timedelta(seconds=30)


async def test_what_was_missed_while_the_owner_was_away_is_asked_for(
    clock: FakeClock, revocations: Revocations
) -> None:
    owner = Owner()
    owner.revoked.append(Revoked(id="s-1", at=clock.now()))
    await revocations.update(owner)
    owner.away = True
    for number in range(3):
        clock.advance(minutes=1)
        owner.revoked.append(Revoked(id=f"missed-{number}", at=clock.now()))
        with pytest.raises(Unavailable):
            await revocations.update(owner)
    assert "s-1" in revocations
    owner.away = False
    await revocations.update(owner)
    assert all(f"missed-{number}" in revocations for number in range(3))


async def test_what_no_token_can_be_of_is_forgotten(clock: FakeClock, revocations: Revocations) -> None:
    owner = Owner()
    revocations.add([Revoked(id="s-1", at=clock.now())])
    clock.advance(seconds=ACCESS_LIFETIME.total_seconds())
    await revocations.update(owner)
    assert "s-1" in revocations
    clock.advance(seconds=(KEPT - ACCESS_LIFETIME).total_seconds() + 1)
    await revocations.update(owner)
    assert len(revocations) == 0
