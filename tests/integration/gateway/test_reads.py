"""Public reads through the cache of the gateway."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from multidict import CIMultiDict

from tests.integration.gateway.fixtures import LIBRARY, ROOM, GatewayFixture, bearer, running

HOST = "0190b5b0-7c5c-7000-8000-0000000000aa"
SESSION = "0190b5b0-7c5c-7000-8000-0000000000bb"
OTHER = "0190b5b0-7c5c-7000-8000-0000000000cc"


class Rooms:
    """A session service that shows one room and counts how often."""

    def __init__(self) -> None:
        self.title = "first"
        self.reads = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.answer = ""
        self.status = 200

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.method != "GET":
            return web.Response(text=self.answer, status=self.status, content_type="application/json")
        self.reads += 1
        data = {"id": ROOM, "title": self.title, "host": {"id": HOST}}
        body = json.dumps({"success": True, "data": data, "timestamp": self.reads}, separators=(",", ":"))
        await self.may_answer.wait()
        status = 404 if "missing" in request.query_string else 200
        return web.Response(text=body, status=status, content_type="application/json")


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
async def gateway(rooms: Rooms) -> AsyncIterator[GatewayFixture]:
    async with running() as gateway:
        gateway.session.handler = rooms
        yield gateway


async def read(gateway: GatewayFixture, path: str = f"/rooms/{ROOM}", **headers: str) -> str:
    async with gateway.http.get(path, headers=headers) as answer:
        assert answer.status == 200
        title: str = (await answer.json(content_type=None))["data"]["title"]
        return title


async def test_a_read_is_asked_for_once_and_given_alike(gateway: GatewayFixture, rooms: Rooms) -> None:
    answers = []
    for _ in range(3):
        async with gateway.http.get(f"/rooms/{ROOM}", headers={"X-Request-Id": "same-for-all"}) as answer:
            body = await answer.read()
        headers = CIMultiDict(answer.headers)
        assert headers.pop("Date")
        answers.append((headers, body))
    assert rooms.reads == 1
    assert answers[0] == answers[1] == answers[2]
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-Request-Id"] == "same-for-all"
    assert headers["Server"] == "greenroom"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_many_at_once_ask_once(gateway: GatewayFixture, rooms: Rooms) -> None:
    rooms.may_answer.clear()
    reads = [asyncio.create_task(read(gateway)) for _ in range(50)]
    async with asyncio.timeout(10):
        while rooms.reads == 0:
            await asyncio.sleep(0.01)
    rooms.may_answer.set()
    assert set(await asyncio.gather(*reads)) == {"first"}
    assert rooms.reads == 1


async def test_whoever_shows_credentials_is_never_given_what_is_kept(
    gateway: GatewayFixture, rooms: Rooms
) -> None:
    await read(gateway)
    gateway.session.api_keys[OTHER] = "secret"
    for headers in (bearer(), {"X-API-Key": f"{OTHER}.secret"}):
        await read(gateway, **headers)
    assert rooms.reads == 3
    async with gateway.http.get(f"/rooms/{ROOM}", headers={"Authorization": "Bearer nonsense"}) as answer:
        assert answer.status == 401


async def test_what_was_read_with_credentials_is_given_to_nobody(
    gateway: GatewayFixture, rooms: Rooms
) -> None:
    await read(gateway, **bearer())
    await read(gateway)
    assert rooms.reads == 2


async def test_a_client_that_has_it_is_told_so(gateway: GatewayFixture, rooms: Rooms) -> None:
    async with gateway.http.get(f"/rooms/{ROOM}") as answer:
        etag = answer.headers["ETag"]
    async with gateway.http.get(f"/rooms/{ROOM}", headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    async with gateway.http.get(f"/rooms/{ROOM}", headers={"If-None-Match": '"other"'}) as answer:
        assert answer.status == 200
    assert rooms.reads == 1


async def test_what_is_kept_expires() -> None:
    rooms = Rooms()
    async with running(cache_seconds=0.05) as gateway:
        gateway.session.handler = rooms
        await read(gateway)
        rooms.title = "second"
        async with asyncio.timeout(5):
            while await read(gateway) != "second":
                await asyncio.sleep(0.01)


async def test_an_answer_that_a_write_overtook_is_not_kept(gateway: GatewayFixture, rooms: Rooms) -> None:
    rooms.may_answer.clear()
    reading = asyncio.create_task(read(gateway))
    async with asyncio.timeout(10):
        while rooms.reads == 0:
            await asyncio.sleep(0.01)
    rooms.title = "second"
    async with gateway.http.patch(f"/rooms/{ROOM}", headers=bearer()) as written:
        assert written.status == 200
    rooms.may_answer.set()
    assert await reading == "first"
    assert await read(gateway) == "second"


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("PATCH", f"/rooms/{ROOM}", ""),
        ("DELETE", f"/rooms/{ROOM}", ""),
        ("POST", f"/sessions/{SESSION}/start", f'{{"data":{{"session":{{"room_id":"{ROOM}"}}}}}}'),
        ("PATCH", f"/libraries/{LIBRARY}/rooms/{ROOM}", ""),
        # Whoever leaves the stage is a viewer.
        ("POST", f"/sessions/{SESSION}/stage/leave", ""),
    ],
)
async def test_a_writer_reads_what_they_wrote(
    gateway: GatewayFixture, rooms: Rooms, method: str, path: str, answer: str
) -> None:
    assert [await read(gateway), await read(gateway, "/rooms")] == ["first", "first"]
    rooms.title, rooms.answer = "second", answer
    async with gateway.http.request(method, path, headers=bearer()) as written:
        assert written.status == 200
    assert [await read(gateway), await read(gateway, "/rooms")] == ["second", "second"]


async def test_what_changes_nothing_that_is_shown_drops_nothing(
    gateway: GatewayFixture, rooms: Rooms
) -> None:
    await read(gateway)
    rooms.answer = f'{{"data":{{"room_id":"{ROOM}"}}}}'
    for action in ("join", "tokens", "chat", "raise_hand"):
        async with gateway.http.post(f"/sessions/{ROOM}/{action}", headers=bearer()) as answer:
            assert answer.status == 200
    for path in ("/auth/logout", "/auth/refresh"):
        async with gateway.http.post(path, headers=bearer()) as answer:
            assert answer.status == 200
    rooms.status = 409
    async with gateway.http.patch(f"/rooms/{ROOM}", headers=bearer()) as answer:
        assert answer.status == 409
    await read(gateway)
    assert rooms.reads == 1


async def test_only_what_was_found_is_kept(gateway: GatewayFixture, rooms: Rooms) -> None:
    for _ in range(2):
        async with gateway.http.get(f"/rooms/{ROOM}?missing") as answer:
            assert answer.status == 404
    assert rooms.reads == 2


async def test_a_service_that_is_away_is_everybody_s_503(gateway: GatewayFixture) -> None:
    await gateway.session.stop()

    async def status() -> int:
        async with gateway.http.get(f"/rooms/{ROOM}") as answer:
            return answer.status

    assert set(await asyncio.gather(*(status() for _ in range(10)))) == {503}


async def test_head_and_other_forms_of_http_get_the_same(gateway: GatewayFixture, rooms: Rooms) -> None:
    await read(gateway)
    kept = rooms.reads
    whole = b"GET /rooms/%b HTTP/1.%d\r\nHost: x\r\n%b\r\n"
    old = await _talk(gateway, whole % (ROOM.encode(), 0, b""))
    closing = await _talk(gateway, whole % (ROOM.encode(), 1, b"Connection: close\r\n"))
    assert rooms.reads == kept
    assert old.startswith(b"HTTP/1.0 200 OK\r\n")
    assert closing.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close\r\n" in closing
    assert old.partition(b"\r\n\r\n")[2] == closing.partition(b"\r\n\r\n")[2]
    assert b"ETag: W/" in old
    async with gateway.http.head(f"/rooms/{ROOM}") as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_requests_sent_one_behind_the_other_are_answered_in_order(
    gateway: GatewayFixture, rooms: Rooms
) -> None:
    await read(gateway)
    one = b"GET /rooms/%b HTTP/1.1\r\nHost: x\r\nX-Request-Id: number-%04d\r\n%b\r\n"
    sent = b"".join(one % (ROOM.encode(), number, b"") for number in range(200))
    sent += one % (ROOM.encode(), 200, b"Connection: close\r\n")
    answers = (await _talk(gateway, sent)).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert len(answers) == 201
    assert all(b"X-Request-Id: number-%04d\r\n" % number in answer for number, answer in enumerate(answers))


async def test_a_head_that_is_too_large_is_refused_all_the_same(gateway: GatewayFixture) -> None:
    await read(gateway)
    many = {f"A-{number}": "x" * 8000 for number in range(5)}
    async with gateway.http.get(f"/rooms/{ROOM}", headers=many) as answer:
        assert answer.status == 431


async def test_pages_of_configured_origins_may_read_what_is_kept() -> None:
    rooms = Rooms()
    async with running(cors_origins="https://a.example") as gateway:
        gateway.session.handler = rooms
        for _ in range(2):
            async with gateway.http.get(f"/rooms/{ROOM}", headers={"Origin": "https://a.example"}) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
            async with gateway.http.get(f"/rooms/{ROOM}") as answer:
                assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers.getall("Vary") == ["Origin"]
    assert rooms.reads == 1


async def test_a_hit_is_counted_and_logged_like_any_other_answer(gateway: GatewayFixture) -> None:
    async def count() -> int:
        async with gateway.http.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
        name = 'greenroom_http_request_seconds_count{operation="GET /rooms/{id}",status="200"} '
        return sum(int(float(line.removeprefix(name))) for line in lines if line.startswith(name))

    before = await count()
    for _ in range(5):
        await read(gateway)
    assert await count() == before + 5


async def _talk(gateway: GatewayFixture, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(sent)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer
