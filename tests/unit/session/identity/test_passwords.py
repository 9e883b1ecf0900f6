"""Passwords are looked at a few at a time, in threads, and no sooner for those who do not exist."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from services.session.identity.accounts.passwords import Passwords
from shared.errors import Unavailable


class Hasher:
    """Knows hashes as `#<password>`; holds whoever verifies until it is told to go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.verified: list[str] = []
        self.now = self.most = 0
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        return "#" + password

    def verify(self, hash: str, password: str) -> bool:  # noqa: A002
        with self._lock:
            self.verified.append(hash)
            self.now += 1
            self.most = max(self.most, self.now)
        self.go_on.wait(30)
        with self._lock:
            self.now -= 1
        return hash == "#" + password


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    hasher = Hasher()
    yield hasher
    hasher.go_on.set()


async def test_nobody_s_password_is_looked_at_like_anybody_s(hasher: Hasher) -> None:
    passwords = Passwords(2, hasher)
    hasher.go_on.set()
    assert not await passwords.matches("nobody has this password", None)
    assert not await passwords.matches("wrong", "#right")
    assert await passwords.matches("right", "#right")
    assert len(hasher.verified) == 3


async def test_a_flood_takes_few_threads_and_is_refused_beyond_a_queue(hasher: Hasher) -> None:
    passwords = Passwords(2, hasher)
    flood = [asyncio.create_task(passwords.matches("x", "#y")) for _ in range(200)]
    async with asyncio.timeout(20):
        while hasher.now < 2 or sum(task.done() for task in flood) < 200 - 66:
            await asyncio.sleep(0.01)
    # The loop's own threads are free for everybody else.
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 20) == "free"
    hasher.go_on.set()
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, Unavailable)]
    assert {(one.code, one.headers["Retry-After"]) for one in refused} == {("sign_in_busy", "1")}
    assert (outcomes.count(False), len(refused), hasher.most) == (66, 134, 2)
    assert await passwords.matches("x", "#x")


async def test_who_hangs_up_holds_a_place_until_the_work_is_done(hasher: Hasher) -> None:
    passwords = Passwords(1, hasher)
    leaving = [asyncio.create_task(passwords.matches("x", "#y")) for _ in range(65)]
    async with asyncio.timeout(20):
        while hasher.now < 1:
            await asyncio.sleep(0.01)
    leaving[0].cancel()
    await asyncio.wait(leaving[:1])
    hasher.go_on.set()
    outcomes = await asyncio.gather(*leaving, return_exceptions=True)
    assert outcomes[1:] == [False] * 64
    assert await passwords.matches("x", "#x")
