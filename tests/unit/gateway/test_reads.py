"""The parts of the read cache, each on its own."""

import asyncio
from collections.abc import Iterable

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from services.gateway.cache.cache import Outcome, Question, ReadCache
from services.gateway.cache.entry import LISTS, Entry, ids_in, make_entry, path_tags
from services.gateway.cache.ledger import Ledger
from services.gateway.cache.shelf import Shelf
from services.gateway.routing.router import Endpoint
from services.gateway.routing.table import TABLE
from services.gateway.upstreams.proxy import Fetched

ONE, TWO = "0190b5b0-7c5c-7000-8000-000000000001", "0190b5b0-7c5c-7000-8000-000000000002"
ENDPOINT = Endpoint(next(one for one in TABLE if one.path == "/rooms/{id}"), "/rooms/{id}", in_library=False)


def fetched(body: bytes = b'{"data":null,"timestamp":1}') -> Fetched:
    return Fetched(200, "OK", CIMultiDictProxy(CIMultiDict()), body)


def entry(tags: Iterable[str] = (), size: int = 0, until: float = 1.0) -> Entry:
    return make_entry(ENDPOINT, "/", fetched(b"x" * size), CIMultiDict(), frozenset(tags), until)


def test_an_answer_is_current_until_something_it_shows_changes() -> None:
    ledger = Ledger()
    ledger.change(["a"])
    mark = ledger.mark()
    assert ledger.current(mark, ["a", "b"])
    ledger.change(["b", "c"])
    assert ledger.current(mark, ["a"])
    assert not ledger.current(mark, ["a", "b"])
    assert ledger.current(ledger.mark(), ["b"])


def test_after_all_changed_nothing_asked_before_is_current() -> None:
    ledger = Ledger()
    mark = ledger.mark()
    ledger.change_all()
    assert not ledger.current(mark, [])
    assert ledger.current(ledger.mark(), ["a"])


def test_a_ledger_forgets_on_the_safe_side() -> None:
    ledger = Ledger(remembered=2)
    before = ledger.mark()
    for tag in "abc":
        ledger.change([tag])
    assert not ledger.current(before, ["z"])
    assert ledger.current(1, ["z"])
    assert not ledger.current(1, ["b"])


def test_what_shows_a_thing_is_dropped_with_it() -> None:
    shelf = Shelf(10, 1_000_000)
    shelf.put("one", entry([ONE]), 0)
    shelf.put("both", entry([ONE, TWO]), 0)
    shelf.put("two", entry([TWO]), 0)
    assert shelf.drop_tagged([ONE, "nothing"]) == 2
    assert [shelf.get(key) is None for key in ("one", "both", "two")] == [True, True, False]
    assert shelf.drop_tagged([ONE]) == 0


def test_a_shelf_is_bounded_in_entries_and_bytes() -> None:
    shelf = Shelf(3, 100_000)
    for number in range(5):
        shelf.put(str(number), entry([str(number)]), 0)
    assert [shelf.get(str(number)) is not None for number in range(5)] == [False, False, True, True, True]
    for number in range(20):
        shelf.put("large", entry(size=10_000), 0)
        shelf.put(f"more-{number}", entry(size=9_000), 0)
        assert shelf.bytes <= 100_000
    shelf.put("too large", entry(size=20_000), 0)
    assert shelf.get("too large") is None
    shelf.clear()
    assert (len(shelf), shelf.bytes) == (0, 0)


def test_what_has_expired_makes_room_first() -> None:
    shelf = Shelf(10, 1_000_000)
    shelf.put("old", entry(until=1.0), 0)
    shelf.put("new", entry(until=3.0), 2.0)
    assert shelf.get("old") is None
    assert shelf.get("new") is not None


def test_ids_are_found_wherever_they_are_shown() -> None:
    body = f'{{"data":{{"id":"{ONE}","room":{{"host_id": "{TWO}","title":"\\"id\\":\\"x\\""}}}}}}'.encode()
    assert ids_in(body) == {ONE, TWO}
    assert ids_in(b'{"id":null,"other":"' + ONE.encode() + b'"}') == frozenset()


def test_a_list_is_tagged_as_one_and_a_thing_by_its_id() -> None:
    lists = Endpoint(next(one for one in TABLE if one.path == "/rooms"), "/rooms", in_library=False)
    assert path_tags(lists, ["rooms"]) == {LISTS}
    assert path_tags(lists, ["libraries", ONE.upper(), "rooms"]) == {LISTS, ONE}
    assert path_tags(ENDPOINT, ["rooms", ONE.upper()]) == {ONE}


def test_the_same_data_at_another_time_has_the_same_etag() -> None:
    made = [
        make_entry(ENDPOINT, "/", fetched(body), CIMultiDict(), frozenset(), 1.0)
        for body in (b'{"data":1,"timestamp":1}', b'{"data":1,"timestamp":22}', b'{"data":2,"timestamp":1}')
    ]
    assert made[0].etag == made[1].etag != made[2].etag


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        (None, False),
        ("{}", True),
        ("{strong}", True),
        ('"x", {}', True),
        ("*", True),
        ('"x"', False),
        ("", False),
    ],
)
def test_etags_are_compared_weakly_and_in_lists(shown: str | None, same: bool) -> None:
    one = entry()
    text = shown and shown.replace("{}", one.etag).replace("{strong}", one.etag.removeprefix("W/"))
    assert one.matches(text) is same


class Service:
    """Answers when it is let; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.body = b"{}"
        self.error: Exception | None = None

    async def ask(self) -> Fetched:
        self.asked += 1
        body = self.body
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return fetched(body)

    def question(self, *tags: str) -> Question:
        return Question("key", frozenset(tags), self.ask, self.build)

    @staticmethod
    def build(answer: Fetched, tags: frozenset[str], until: float) -> Entry:
        return make_entry(ENDPOINT, "/", answer, CIMultiDict(), tags, until)


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cache(time: Time) -> ReadCache:
    cache = ReadCache(Shelf(100, 1_000_000), 1.0, time)
    cache.begun()
    return cache


async def _asking(cache: ReadCache, service: Service, *tags: str) -> asyncio.Task[Outcome]:
    task = asyncio.create_task(cache.obtain(service.question(*tags)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_those_who_ask_at_the_same_time_ask_once(cache: ReadCache) -> None:
    service = Service()
    tasks = [await _asking(cache, service) for _ in range(20)]
    service.may_answer.set()
    await asyncio.gather(*tasks)
    assert service.asked == 1
    assert cache.find("key") is not None


async def test_an_answer_lives_for_a_second_from_when_it_was_asked_for(cache: ReadCache, time: Time) -> None:
    service = Service()
    asking = await _asking(cache, service)
    time.now = 0.9
    service.may_answer.set()
    await asking
    assert cache.find("key") is not None
    time.now = 1.0
    assert cache.find("key") is None


async def test_an_answer_that_took_too_long_is_not_kept(cache: ReadCache, time: Time) -> None:
    service = Service()
    asking = await _asking(cache, service)
    time.now = 1.0
    service.may_answer.set()
    await asking
    assert cache.find("key") is None


async def test_what_changed_while_it_was_asked_for_is_not_kept(cache: ReadCache) -> None:
    service = Service()
    service.body = b'{"id":"%b"}' % ONE.encode()
    asking = await _asking(cache, service)
    cache.change([ONE])
    service.may_answer.set()
    await asking
    assert cache.find("key") is None


async def test_whoever_comes_after_a_change_is_not_given_an_older_answer(cache: ReadCache) -> None:
    service = Service()
    service.body = b'{"id":"%b","title":"old"}' % ONE.encode()
    before = await _asking(cache, service)
    cache.change([ONE])
    service.body = b'{"id":"%b","title":"new"}' % ONE.encode()
    after = await _asking(cache, service)
    service.may_answer.set()
    assert b"old" in (await before).fetched.body
    assert b"new" in (await after).fetched.body
    assert service.asked == 2
    kept = cache.find("key")
    assert kept is not None
    assert b"new" in kept.body


async def test_a_change_of_something_else_does_not_matter(cache: ReadCache) -> None:
    service = Service()
    asking = await _asking(cache, service, ONE)
    cache.change([TWO])
    second = await _asking(cache, service, ONE)
    service.may_answer.set()
    await asyncio.gather(asking, second)
    assert service.asked == 1
    assert cache.find("key") is not None


async def test_whoever_asked_first_may_go_and_the_others_get_their_answer(cache: ReadCache) -> None:
    service = Service()
    first, second = await _asking(cache, service), await _asking(cache, service)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    service.may_answer.set()
    assert (await second).fetched.status == 200
    assert service.asked == 1


async def test_a_failure_is_everybody_s_and_not_kept(cache: ReadCache) -> None:
    service = Service()
    service.error = OSError("gone")
    tasks = [await _asking(cache, service) for _ in range(3)]
    service.may_answer.set()
    assert [str(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == ["gone"] * 3
    service.error = None
    await cache.obtain(service.question())
    assert service.asked == 2


async def test_nothing_is_kept_while_changes_are_not_heard_of(cache: ReadCache) -> None:
    service = Service()
    service.may_answer.set()
    await cache.obtain(service.question())
    cache.ended()
    assert cache.find("key") is None
    await cache.obtain(service.question())
    assert cache.find("key") is None
    slow = Service()
    asking = await _asking(cache, slow)
    cache.begun()
    slow.may_answer.set()
    await cache.obtain(service.question())
    await asking
    assert (slow.asked, service.asked) == (1, 3)
    assert cache.find("key") is not None


async def test_closing_ends_what_is_being_asked(cache: ReadCache) -> None:
    asking = await _asking(cache, Service())
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
