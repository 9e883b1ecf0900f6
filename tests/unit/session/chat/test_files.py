"""Files in the chat: what is taken, what it is called, who gets it, and what becomes of it."""

import gzip
from collections.abc import Awaitable
from typing import Any

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from services.session.catalog.libraries.schemas import UpdateLibraryRequest
from services.session.chat.file_types import FILE_TYPES, LONGEST_NAME, Sniffer, file_name
from services.session.chat.schemas import ChatFileMessageResponse, ChatFileQuery, ChatQuery
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.errors import Forbidden, InvalidRequest, NotFound, TooLarge, UnsupportedMediaType
from shared.ids import new_id
from tests.unit.session.actors import Host, person, refused
from tests.unit.session.backend import CHAT_FILE_LIMIT, Backend

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
BEGINNINGS = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0 and more",
    "image/gif": b"GIF89a and more",
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "application/pdf": b"%PDF-1.7\n",
    "text/plain": "Grüße\n\tan alle".encode(),
    "text/csv": b"a,b\r\n1,2\r\n",
}


def upload(
    content: bytes, kind: str = "image/png", length: int | None = None, encoding: str = "identity"
) -> web.Request:
    """A request with this body, which comes in few bytes at a time."""
    headers = {"Content-Type": kind, "Content-Encoding": encoding}
    if length is not None:
        headers["Content-Length"] = f"{length}"
    protocol = BaseProtocol(loop=None)  # type: ignore[arg-type]
    payload = StreamReader(protocol, 2**16, loop=None)
    for start in range(0, len(content), 7):
        payload.feed_data(content[start : start + 7])
    payload.feed_eof()
    return make_mocked_request("POST", "/", headers=headers, payload=payload)


async def send(
    backend: Backend,
    session: Session,
    by: Caller,
    content: bytes = PNG,
    kind: str = "image/png",
    **query: Any,
) -> ChatFileMessageResponse:
    asked = ChatFileQuery(**{"name": "a picture.png"} | query)
    return await backend.file_messages.send(new_id(), session.id, by, upload(content, kind), asked)


async def test_the_same_call_sends_a_file_once(backend: Backend, host: Host) -> None:
    session, call_id, asked = await host.live_session(), new_id(), ChatFileQuery(name="a picture.png")

    async def again() -> ChatFileMessageResponse:
        return await backend.file_messages.send(call_id, session.id, host.caller, upload(PNG), asked)

    sent = await again()
    assert await again() == sent
    assert (await backend.chat_service.read(session.id, host.caller, ChatQuery())).total == 1
    await backend.chat_service.delete(session.id, sent.id, host.caller)
    await refused("chat_message_not_found", NotFound, again())
    assert await backend.storage.head(f"chat/{session.id}/{sent.id}") is None


@pytest.mark.parametrize("kind", FILE_TYPES)
def test_each_kind_is_known_by_its_content(kind: str) -> None:
    for piece in (1, 3, 1000):
        sniffer, content = Sniffer(kind), BEGINNINGS[kind]
        for start in range(0, len(content), piece):
            sniffer.look(content[start : start + piece])
        sniffer.finish()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/png", b"<html><script>alert(1)</script>"),
        ("image/jpeg", PNG),
        ("application/pdf", b" %PDF"),
        ("image/webp", b"RIFF\x10\x00\x00\x00WAVE"),
        ("text/plain", b"MZ\x90\x00\x03"),
        ("text/plain", b"half a letter \xc3"),
        ("text/csv", b"\xff\xfea"),
    ],
)
def test_what_is_something_else_is_refused(kind: str, content: bytes) -> None:
    sniffer = Sniffer(kind)

    def whole() -> None:
        sniffer.look(content)
        sniffer.finish()

    with pytest.raises(UnsupportedMediaType) as refusal:
        whole()
    assert refusal.value.code == "file_type_mismatch"


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/zip", "application/octet-stream", ""]
)
def test_other_kinds_are_not_taken(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        Sniffer(kind)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("photo.PNG", "photo.PNG"),
        ("C:\\Users\\me\\photo.png", "photo.png"),
        ("../../etc/passwd", "passwd.png"),
        ("evil.exe", "evil.exe.png"),
        (".hidden.png", "hidden.png"),
        ("a\u202egnp.exe\r\n", "agnp.exe.png"),
        (" ..\u200b ", ""),
        ("dir/", ""),
        ("x" * 300 + ".png", "x" * (LONGEST_NAME - 4) + ".png"),
    ],
)
def test_a_file_has_a_name_that_does_no_harm(sent: str, kept: str) -> None:
    assert file_name(sent, "image/png") == kept


async def test_a_file_is_a_message(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    sent = await send(backend, session, host.caller)
    assert (sent.message, sent.is_direct) == ("a picture.png", False)
    assert (sent.file.name, sent.file.size, sent.file.content_type) == (
        "a picture.png",
        len(PNG),
        "image/png",
    )
    assert sent.file.url.startswith("https://live.example/chat/files/")
    seen = await backend.chat_service.read(session.id, viewer, ChatQuery())
    assert seen.messages == [sent]
    assert "url" in seen.model_dump_json()
    assert await backend.storage.get(f"chat/{session.id}/{sent.id}") == PNG
    await backend.settle()
    assert backend.published().count("chat.message_sent.v1") == 1


async def test_a_file_for_one(backend: Backend, host: Host) -> None:
    session, one, other = await host.live_session(), await person(backend), await person(backend)
    sent = await send(backend, session, host.caller, recipient_id=one.user_id)
    assert sent.is_direct
    assert (await backend.chat_service.read(session.id, one, ChatQuery())).total == 1
    assert (await backend.chat_service.read(session.id, other, ChatQuery())).total == 0


async def test_files_are_for_those_whose_flag_allows_it(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    assert not session.preset.settings.audience_chat_send_file
    await refused("not_permitted", Forbidden, send(backend, session, await person(backend)))
    preset = await host.preset(audience_chat_send_file=True)
    allowed = await host.live_session(preset=preset.id)
    assert (await send(backend, allowed, await person(backend))).file.size == len(PNG)


async def test_too_much_and_nothing_are_refused(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    most = PNG + b"\x00" * (CHAT_FILE_LIMIT - len(PNG))
    assert (await send(backend, session, host.caller, most)).file.size == CHAT_FILE_LIMIT
    await refused("file_too_large", TooLarge, send(backend, session, host.caller, most + b"\x00"))
    with pytest.raises(InvalidRequest):
        await send(backend, session, host.caller, b"")
    with pytest.raises(InvalidRequest) as refusal:
        await send(backend, session, host.caller, name="///")
    assert [error.field for error in refusal.value.errors] == ["name"]
    assert len(await backend.chat.collection.find({})) == 1


async def test_a_compressed_file_is_kept_unpacked_and_only_while_it_fits(
    backend: Backend, host: Host
) -> None:
    session, asked = await host.live_session(), ChatFileQuery(name="a picture.png")

    def sent(content: bytes) -> Awaitable[ChatFileMessageResponse]:
        raw = upload(content, encoding="gzip")
        return backend.file_messages.send(new_id(), session.id, host.caller, raw, asked)

    packed = gzip.compress(PNG)
    assert (await sent(packed)).file.size == len(PNG)
    await refused("file_too_large", TooLarge, sent(gzip.compress(PNG + bytes(CHAT_FILE_LIMIT))))
    for broken in (PNG, packed[:-1], packed + b"more"):
        await refused("validation_failed", InvalidRequest, sent(broken))


async def test_a_link_is_for_one_file_and_for_a_day(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    sent, other = await send(backend, session, host.caller), await send(backend, session, host.caller)
    token = sent.file.url.split("/")[-2]
    answer = await backend.file_messages.give(make_mocked_request("HEAD", "/"), token, sent.id)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "nonsense"):
        with pytest.raises(Forbidden):
            await backend.file_messages.give(make_mocked_request("GET", "/"), wrong, sent.id)
    with pytest.raises(Forbidden):
        await backend.file_messages.give(make_mocked_request("GET", "/"), token, other.id)
    backend.clock.advance(hours=26)
    await refused(
        "link_expired", Forbidden, backend.file_messages.give(make_mocked_request("GET", "/"), token, sent.id)
    )


async def test_links_of_before_the_library_closed_to_guests_are_refused(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    sent = await send(backend, session, host.caller)

    async def get(url: str) -> str:
        request = make_mocked_request("HEAD", "/")
        answer = await backend.file_messages.give(request, url.split("/")[-2], sent.id)
        return answer.headers["Content-Disposition"]

    async def link() -> str:
        [shown] = (await backend.chat_service.read(session.id, host.caller, ChatQuery())).messages
        assert isinstance(shown, ChatFileMessageResponse)
        return shown.file.url

    assert await link() == sent.file.url
    closed = UpdateLibraryRequest(registered_only=True)
    await backend.library_service.update(host.library.id, closed)
    await backend.settle()
    await refused("link_invalid", Forbidden, get(sent.file.url))
    assert (await get(await link())).startswith("attachment;")


async def test_a_deleted_message_takes_its_file_along(backend: Backend, host: Host) -> None:
    session, service = await host.live_session(), backend.chat_service
    sent = await send(backend, session, host.caller)
    await service.delete(session.id, sent.id, host.caller)
    token = sent.file.url.split("/")[-2]
    await refused(
        "file_not_found",
        NotFound,
        backend.file_messages.give(make_mocked_request("GET", "/"), token, sent.id),
    )
    await backend.settle()
    assert await backend.storage.head(f"chat/{session.id}/{sent.id}") is None


async def test_a_deleted_session_takes_its_files_along(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    sent = await send(backend, session, host.caller)
    await host.end(session)
    await backend.session_service.delete(session.id, host.caller, None)
    await backend.settle()
    assert await backend.storage.head(f"chat/{session.id}/{sent.id}") is None
