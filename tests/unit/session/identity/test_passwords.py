"""Passwords are looked at a few at a time, in threads, and no sooner for those who do not exist."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from services.session.identity.accounts.fair_queue import Asker
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


ONE = Asker("192.0.2.1")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_nobody_s_password_is_looked_at_like_anybody_s(hasher: Hasher) -> None:
    passwords = Passwords(2, hasher)
    hasher.go_on.set()
    assert not await passwords.matches("nobody has this password", None, ONE)
    assert not await passwords.matches("wrong", "#right", ONE)
    assert await passwords.matches("right", "#right", ONE)
    assert len(hasher.verified) == 3


async def test_a_flood_takes_few_threads_and_is_refused_beyond_a_queue(hasher: Hasher) -> None:
    passwords = Passwords(2, hasher)
    flood = [asyncio.create_task(passwords.matches("x", "#y", ONE)) for _ in range(200)]
    await until(lambda: hasher.now == 2 and sum(task.done() for task in flood) >= 200 - 66)
    # The loop's own threads are free for everybody else.
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 20) == "free"
    hasher.go_on.set()
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, Unavailable)]
    assert {(one.code, one.headers["Retry-After"]) for one in refused} == {("sign_in_busy", "1")}
    assert (outcomes.count(False), len(refused), hasher.most) == (66, 134, 2)
    assert await passwords.matches("x", "#x", ONE)


async def test_a_flood_from_one_address_keeps_nobody_else_out_and_makes_them_wait_for_one_turn(
    hasher: Hasher,
) -> None:
    passwords = Passwords(1, hasher)
    flood = [asyncio.create_task(passwords.matches("x", f"#{number}", ONE)) for number in range(200)]
    await until(lambda: hasher.now == 1 and sum(task.done() for task in flood) >= 200 - 65)
    others = [
        asyncio.create_task(passwords.matches("right", "#right", Asker(f"192.0.2.{number}")))
        for number in range(2, 12)
    ]
    await asyncio.sleep(0)
    hasher.go_on.set()
    assert await asyncio.gather(*others) == [True] * 10
    # One was being looked at, and one more had its turn at most.
    assert hasher.verified.index("#right") <= 2
    assert len(hasher.verified) - hasher.verified.count("#right") <= 3
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(isinstance(one, Unavailable) for one in outcomes) == 200 - 65 + 10


async def test_when_everybody_has_one_place_nobody_s_is_taken(hasher: Hasher) -> None:
    passwords = Passwords(1, hasher)
    crowd = [asyncio.create_task(passwords.matches("x", "#x", Asker(str(number)))) for number in range(66)]
    await until(lambda: any(task.done() for task in crowd))
    hasher.go_on.set()
    outcomes = await asyncio.gather(*crowd, return_exceptions=True)
    assert (outcomes.count(True), [type(one) for one in outcomes if one is not True]) == (65, [Unavailable])
    assert isinstance(outcomes[-1], Unavailable)


async def test_what_nobody_waits_for_any_longer_is_not_computed(hasher: Hasher) -> None:
    passwords = Passwords(1, hasher)
    connected = True
    running = asyncio.create_task(passwords.matches("x", "#running", ONE))
    cancelled = asyncio.create_task(passwords.matches("x", "#cancelled", ONE))
    gone = Asker("192.0.2.2", lambda: connected)
    left = asyncio.create_task(passwords.matches("x", "#left", gone))
    stays = asyncio.create_task(passwords.matches("x", "#x", Asker("192.0.2.3")))
    await until(lambda: hasher.now == 1)
    cancelled.cancel()
    connected = False
    await asyncio.wait([cancelled])
    hasher.go_on.set()
    assert await stays
    with pytest.raises(Unavailable):
        await left
    await running
    assert hasher.verified == ["#running", "#x"]


async def test_those_who_left_make_room_before_anybody_is_refused(hasher: Hasher) -> None:
    passwords = Passwords(1, hasher)
    connected = True
    hasty = [
        asyncio.create_task(passwords.matches("x", "#hasty", Asker(str(number), lambda: connected)))
        for number in range(65)
    ]
    await until(lambda: hasher.now == 1)
    connected = False
    late = asyncio.create_task(passwords.matches("x", "#x", ONE))
    await asyncio.sleep(0)
    hasher.go_on.set()
    assert await late
    await asyncio.gather(*hasty, return_exceptions=True)
    assert hasher.verified.count("#hasty") == 1


async def test_a_turn_that_comes_together_with_the_end_of_waiting_is_passed_on(hasher: Hasher) -> None:
    passwords = Passwords(1, hasher)
    hasher.go_on.set()
    for _ in range(50):
        tasks = [asyncio.create_task(passwords.matches("x", "#x", ONE)) for _ in range(4)]
        await tasks[0]
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await asyncio.wait_for(passwords.matches("x", "#x", ONE), 20)


@pytest.mark.parametrize("at_once", [1, 2])
async def test_who_hangs_up_holds_a_place_until_the_work_is_done(hasher: Hasher, at_once: int) -> None:
    """No other's job is begun meanwhile: those who leave before a thread is free are not computed."""
    passwords = Passwords(at_once, hasher)
    running = [asyncio.create_task(passwords.matches("x", "#running", ONE)) for _ in range(at_once)]
    await until(lambda: hasher.now == at_once)
    connected = True
    gone = Asker("192.0.2.2", lambda: connected)
    waiting = [asyncio.create_task(passwords.matches("x", "#waiting", gone)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    connected = False
    hasher.go_on.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [one.code for one in outcomes if isinstance(one, Unavailable)] == ["client_gone"] * 3
    assert hasher.verified == ["#running"] * at_once
    assert await passwords.matches("x", "#x", ONE)
