"""The chat: who says what to whom, who sees it, and who takes it back."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.session.chat.schemas import ChatMessageResponse, ChatQuery, CreateChatMessageRequest
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound
from shared.ids import new_id
from tests.unit.session.actors import (
    Host,
    ban_directly,
    for_registered,
    moderating,
    new_host,
    person,
    refused,
)
from tests.unit.session.backend import Backend
from tests.unit.session.builders import user


async def say(
    backend: Backend, session: Session, by: Caller, text: str = "Hello", **more: Any
) -> ChatMessageResponse:
    body = CreateChatMessageRequest.model_validate({"message": text, **more})
    return await backend.chat_service.send(new_id(), session.id, by, body)


async def texts(backend: Backend, session: Session, by: Caller, **query: Any) -> list[str]:
    """What this person sees, the newest first."""
    seen = await backend.chat_service.read(session.id, by, ChatQuery(**query))
    return [message.message for message in seen.messages]


async def test_everybody_sees_what_is_said_to_all(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    said = await say(backend, session, viewer, " Hi\u202e ")
    assert (said.message, said.username, said.is_direct, said.recipient_id) == ("Hi", "Vera", False, None)
    for by in (host.caller, viewer, await person(backend)):
        seen = await backend.chat_service.read(session.id, by, ChatQuery())
        assert (seen.messages, seen.total, seen.limit, seen.offset) == ([said], 1, 50, 0)
    await backend.settle()
    assert backend.published().count("chat.message_sent.v1") == 1


async def test_a_direct_message_is_for_two(backend: Backend, host: Host) -> None:
    session, one, other = await host.live_session(), await person(backend), await person(backend)
    await say(backend, session, one, "to all")
    said = await say(backend, session, one, "psst", recipient_id=other.user_id)
    assert (said.is_direct, said.recipient_id, said.recipient_username) == (True, other.user_id, "Vera")
    for by in (one, other):
        assert await texts(backend, session, by) == ["psst", "to all"]
    for by in (host.caller, await person(backend)):
        seen = await backend.chat_service.read(session.id, by, ChatQuery())
        assert ([message.message for message in seen.messages], seen.total) == (["to all"], 1)
        # Nor may a manager take away what they cannot see.
        await refused(
            "chat_message_not_found", NotFound, backend.chat_service.delete(session.id, said.id, by)
        )


async def test_who_can_be_written_to(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    stranger = await new_host(backend)
    gone = user(organization_id=host.user.organization_id, is_active=False)
    await backend.users.add(gone, [])
    for nobody in (new_id(), stranger.user.id, gone.id):
        await refused("user_not_found", NotFound, say(backend, session, viewer, recipient_id=nobody))
    with pytest.raises(InvalidRequest):
        await say(backend, session, viewer, recipient_id=viewer.user_id)
    colleague = await person(backend, host.user.organization_id)
    for somebody in (host.user.id, colleague.user_id):
        assert (await say(backend, session, viewer, recipient_id=somebody)).is_direct


@pytest.mark.parametrize("text", ["", "   ", "\u202e", "x" * 501, "\u200b"])
def test_a_message_has_its_length(text: str) -> None:
    with pytest.raises(ValidationError):
        CreateChatMessageRequest(message=text)
    assert len(CreateChatMessageRequest(message="x" * 499 + "e\u0301").message) == 500


async def test_the_chat_is_open_while_the_session_is_live(backend: Backend, host: Host) -> None:
    session = await host.session()
    await refused("session_not_live", Conflict, say(backend, session, host.caller))
    assert await texts(backend, session, host.caller) == []
    await host.start(session)
    await say(backend, session, host.caller)
    await host.end(session)
    await refused("session_not_live", Conflict, say(backend, session, host.caller))
    assert await texts(backend, session, await person(backend)) == ["Hello"]


@pytest.mark.parametrize(
    ("flag", "code"),
    [("chat_enabled", "chat_disabled"), ("audience_chat_send_text", "not_permitted")],
)
async def test_flags_forbid_writing(backend: Backend, host: Host, flag: str, code: str) -> None:
    session = await host.live_session(preset=(await host.preset(**{flag: False})).id)
    await refused(code, Forbidden, say(backend, session, await person(backend)))
    if flag != "chat_enabled":
        await say(backend, session, host.caller)


async def test_chat_that_is_switched_off_stops_at_once(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await say(backend, session, host.caller)
    await backend.sessions.change(
        session.id, lambda session: session.configure(backend.clock.now(), {"chat_enabled": False})
    )
    await refused("chat_disabled", Forbidden, say(backend, session, host.caller))
    assert await texts(backend, session, host.caller) == ["Hello"]


async def test_who_does_not_receive_the_chat_reads_none(backend: Backend, host: Host) -> None:
    preset = await host.preset(audience_chat_receive_message=False)
    session, viewer = await host.live_session(preset=preset.id), await person(backend)
    await say(backend, session, viewer)
    await refused("not_permitted", Forbidden, texts(backend, session, viewer))
    assert await texts(backend, session, host.caller) == ["Hello"]


async def test_where_registered_people_meet_guests_are_not_heard(backend: Backend, host: Host) -> None:
    session, guest = await host.live_session(), await person(backend)
    known = await person(backend, host.user.organization_id, external_user_id="c-1")
    await for_registered(backend, session)
    for attempt in (say(backend, session, guest), texts(backend, session, guest)):
        await refused("registration_required", Forbidden, attempt)
    for by in (known, host.caller):
        await say(backend, session, by)


async def test_the_banned_neither_read_nor_write(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    said = await say(backend, session, viewer)
    await ban_directly(backend, session, viewer)
    service = backend.chat_service
    for attempt in (say(backend, session, viewer), service.delete(session.id, said.id, viewer)):
        await refused("banned", Forbidden, attempt)
    await refused("banned", Forbidden, texts(backend, session, viewer))


async def test_authors_and_managers_delete(backend: Backend, host: Host) -> None:
    session, author, other = await host.live_session(), await person(backend), await person(backend)
    moderator = await moderating(backend, session)
    service = backend.chat_service
    for by in (author, moderator, host.caller):
        said = await say(backend, session, author)
        await refused("not_the_author", Forbidden, service.delete(session.id, said.id, other))
        for _ in range(2):
            await service.delete(session.id, said.id, by)
        await refused("chat_message_not_found", NotFound, service.delete(session.id, said.id, other))
    assert await texts(backend, session, author) == []
    await backend.settle()
    assert backend.published().count("chat.message_deleted.v1") == 3
    elsewhere = await host.live_session()
    await refused("chat_message_not_found", NotFound, service.delete(elsewhere.id, said.id, author))
    await refused("chat_message_not_found", NotFound, service.delete(session.id, new_id(), author))


async def test_of_a_deleted_message_no_word_stays(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    said = await say(backend, session, host.caller, "a secret")
    await backend.chat_service.delete(session.id, said.id, host.caller)
    await backend.settle()
    (left,) = await backend.chat.collection.find({})
    assert "a secret" not in str(left)


async def test_a_deletion_that_was_broken_off_is_finished(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    said = await say(backend, session, host.caller)
    message = await backend.chat.find(said.id)
    assert message is not None
    await backend.publish(*message.deleted(host.user.id, backend.clock.now()))
    assert await texts(backend, session, host.caller) == []


async def test_a_session_takes_its_chat_along(backend: Backend, host: Host) -> None:
    session, kept = await host.live_session(), await host.live_session()
    for one in (session, kept):
        await say(backend, one, host.caller)
    await host.end(session)
    await backend.session_service.delete(session.id, host.caller, None)
    await backend.settle()
    (left,) = await backend.chat.collection.find({})
    assert left["session_id"] == kept.id


async def test_the_same_call_again_says_it_once(backend: Backend, host: Host) -> None:
    session, reserved = await host.live_session(), new_id()
    body = CreateChatMessageRequest(message="Hello")
    both = [await backend.chat_service.send(reserved, session.id, host.caller, body) for _ in range(2)]
    assert both[0] == both[1]
    assert await texts(backend, session, host.caller) == ["Hello"]


async def _mixed(backend: Backend, host: Host) -> tuple[Session, Caller, list[str]]:
    """A session with common and direct messages in turn, and what its host sees, the newest first."""
    session, viewer = await host.live_session(), await person(backend)
    other = await person(backend)
    seen = []
    for number in range(12):
        kind = "dccdddccdccc"[number]
        recipient = {"recipient_id": host.user.id} if kind == "d" else {}
        seen.append((await say(backend, session, viewer, f"{number}", **recipient)).message)
        await say(backend, session, viewer, "none of your business", recipient_id=other.user_id)
    return session, host.caller, seen[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
async def test_pages_by_offset_and_by_cursor_are_the_same_list(
    backend: Backend, host: Host, limit: int
) -> None:
    session, by, seen = await _mixed(backend, host)
    for offset in range(len(seen) + 2):
        page = await backend.chat_service.read(session.id, by, ChatQuery(limit=limit, offset=offset))
        assert [message.message for message in page.messages] == seen[offset : offset + limit]
        assert page.total == len(seen)
    walked: list[str] = []
    before = None
    while len(walked) < len(seen):
        page = await backend.chat_service.read(session.id, by, ChatQuery(limit=limit, before=before))
        assert page.total == len(seen)
        walked += [message.message for message in page.messages]
        before = page.messages[-1].id
    assert walked == seen
