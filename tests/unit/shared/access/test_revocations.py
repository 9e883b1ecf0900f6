"""What services know of sign-ins that are over."""

import base64
import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.access.identity import ACCESS_LIFETIME, Caller, TokenIssuer, TokenVerifier
from shared.access.revocations import OTHERS_MATTER, SIGN_INS_MATTER, Revocations, Revoked
from shared.contracts.states import UserRole
from shared.errors import Unauthenticated, Unavailable
from tests.fakes.fake_clock import FakeClock

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
HANNA = Caller("u-1", "s-1", "o-1", UserRole.HOST, "Hanna")


def over(name: str, at: datetime, matters: timedelta = SIGN_INS_MATTER, *, for_good: bool = False) -> Revoked:
    return Revoked(id=name, at=at, until=at + matters, for_good=for_good)


def known(revocations: Revocations, sign_in: str) -> bool:
    return revocations.cover(dataclasses.replace(HANNA, sign_in_id=sign_in), 0)


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
    verifier = TokenVerifier({"k1": public}, clock, revocations.cover)
    token, _ = TokenIssuer(KEY.private_bytes_raw(), "k1", clock).issue(HANNA)
    assert verifier.verify(token) == HANNA
    revocations.add([over(HANNA.sign_in_id, clock.now())])
    with pytest.raises(Unauthenticated) as refused:
        verifier.verify(token)
    assert refused.value.code == "token_revoked"


async def test_what_was_revoked_before_the_start_is_known(clock: FakeClock, revocations: Revocations) -> None:
    owner = Owner()
    owner.revoked.append(over("s-1", clock.now() - ACCESS_LIFETIME))
    await revocations.update(owner)
    assert known(revocations, "s-1")
    assert not known(revocations, "s-2")


async def test_each_update_asks_for_what_is_new(clock: FakeClock, revocations: Revocations) -> None:
    owner = Owner()
    await revocations.update(owner)
    clock.advance(seconds=1)
    owner.revoked.append(over("s-1", clock.now()))
    clock.advance(seconds=1)
    await revocations.update(owner)
    assert known(revocations, "s-1")
    assert clock.now() - owner.asked[-1] < timedelta(seconds=30)


async def test_what_was_missed_while_the_owner_was_away_is_asked_for(
    clock: FakeClock, revocations: Revocations
) -> None:
    owner = Owner()
    owner.revoked.append(over("s-1", clock.now()))
    await revocations.update(owner)
    owner.away = True
    for number in range(3):
        clock.advance(minutes=1)
        owner.revoked.append(over(f"missed-{number}", clock.now()))
        with pytest.raises(Unavailable):
            await revocations.update(owner)
    assert known(revocations, "s-1")
    owner.away = False
    await revocations.update(owner)
    assert all(known(revocations, f"missed-{number}") for number in range(3))


async def test_what_no_token_can_be_of_is_forgotten(clock: FakeClock, revocations: Revocations) -> None:
    owner = Owner()
    revocations.add([over("s-1", clock.now())])
    clock.advance(seconds=ACCESS_LIFETIME.total_seconds())
    await revocations.update(owner)
    assert known(revocations, "s-1")
    clock.advance(seconds=(SIGN_INS_MATTER - ACCESS_LIFETIME).total_seconds() + 1)
    await revocations.update(owner)
    assert len(revocations) == 0


async def test_whoever_a_key_let_in_ends_with_it_for_good(clock: FakeClock, revocations: Revocations) -> None:
    guest = dataclasses.replace(HANNA, sign_in_id="s-2", via="key-1")
    itself = dataclasses.replace(HANNA, sign_in_id="key-1", api_key_id="key-1")
    revocations.add([over("key-1", clock.now(), OTHERS_MATTER, for_good=True)])
    later = clock.advance(hours=23).timestamp()
    await revocations.update(Owner())
    assert [revocations.cover(caller, later) for caller in (guest, itself, HANNA)] == [True, True, False]


async def test_what_a_key_let_in_ends_with_its_scope_and_the_key_goes_on(
    clock: FakeClock, revocations: Revocations
) -> None:
    let_in = dataclasses.replace(HANNA, sign_in_id="s-2", via="key-1")
    itself = dataclasses.replace(HANNA, sign_in_id="key-1", api_key_id="key-1")
    revocations.add([over("key-1", clock.now(), OTHERS_MATTER)])
    ended_at = clock.now().timestamp()
    for caller in (let_in, itself):
        assert [revocations.cover(caller, at) for at in (ended_at, ended_at + 1)] == [True, False]


def test_a_sign_in_ends_for_good(clock: FakeClock, revocations: Revocations) -> None:
    now = clock.now()
    revocations.add([Revoked(id="s-1", at=now, until=now + SIGN_INS_MATTER, sign_in=True)])
    assert revocations.cover(HANNA, now.timestamp() + 60)


async def test_tokens_of_a_person_end_and_later_ones_hold(clock: FakeClock, revocations: Revocations) -> None:
    revocations.add([over(HANNA.user_id, clock.now(), OTHERS_MATTER)])
    ended_at = clock.now().timestamp()
    issued = [ended_at - 60, ended_at, ended_at + 1]
    assert [revocations.cover(HANNA, at) for at in issued] == [True, True, False]


async def test_at_the_start_everything_is_asked_for_that_may_matter(
    clock: FakeClock, revocations: Revocations
) -> None:
    owner = Owner()
    owner.revoked.append(over("key-1", clock.now() - timedelta(hours=24), OTHERS_MATTER))
    await revocations.update(owner)
    assert known(revocations, "key-1")
