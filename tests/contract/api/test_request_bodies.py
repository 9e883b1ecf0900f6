"""Bodies that are no JSON object, of another type, or too large."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.api.cases import Case, PreparedCalls, cases, name
from tests.contract.api.client import Answer

WITH_BODY = cases(lambda operation: bool(operation.body))
JSON = {"Content-Type": "application/json"}
NO_OBJECTS = {
    "cut off": b'{"title": "A ro',
    "text": b'"text"',
    "list": b"[]",
    "null": b"null",
    "number": b"7",
    "not JSON": b"title=A+room",
    "not UTF-8": b'{"title": "\xff\xfe room"}',
    "two objects": b"{}{}",
    "too deep": b"[" * 5_000,
}
ONE_MEGABYTE = 1024 * 1024


async def send(prepared_calls: PreparedCalls, case: Case, content: object, headers: dict[str, str]) -> Answer:
    prepared = await prepared_calls.of(case)
    client = prepared.fixtures.client
    return await client.raw(case.operation.method, prepared.path, prepared.token, content, headers=headers)


@pytest.mark.parametrize("content", NO_OBJECTS.values(), ids=NO_OBJECTS)
@pytest.mark.parametrize("case", WITH_BODY, ids=name)
async def test_what_is_no_json_object_is_refused(
    prepared_calls: PreparedCalls, case: Case, content: bytes
) -> None:
    (await send(prepared_calls, case, content, JSON)).check_bad_fields("body")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("case", WITH_BODY, ids=name)
async def test_another_content_type_is_refused(prepared_calls: PreparedCalls, case: Case, kind: str) -> None:
    (await send(prepared_calls, case, b"{}", {"Content-Type": kind})).check_refusal(
        415, "unsupported_media_type"
    )


async def test_the_type_may_name_a_character_set(prepared_calls: PreparedCalls) -> None:
    case = next(case for case in WITH_BODY if case.key == "POST /rooms")
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await send(prepared_calls, case, '{"title": "Räume für alle 🎉"}'.encode(), headers)
    assert answer.data["room"]["title"] == "Räume für alle 🎉"


@pytest.mark.parametrize("case", WITH_BODY, ids=name)
async def test_a_body_over_a_megabyte_is_refused(prepared_calls: PreparedCalls, case: Case) -> None:
    too_much = b'{"x": "' + b"x" * ONE_MEGABYTE + b'"}'
    (await send(prepared_calls, case, too_much, JSON)).check_refusal(413, "body_too_large")


async def test_a_body_over_a_megabyte_is_refused_without_a_declared_length(
    prepared_calls: PreparedCalls,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * (ONE_MEGABYTE // 16)

    case = next(case for case in WITH_BODY if case.key == "POST /rooms")
    (await send(prepared_calls, case, pieces(), JSON)).check_refusal(413, "body_too_large")


async def test_a_body_of_a_megabyte_is_read(prepared_calls: PreparedCalls) -> None:
    case = next(case for case in WITH_BODY if case.key == "POST /rooms")
    start, end = b'{"title": "A large room", "ignored": "', b'"}'
    content = start + b"x" * (ONE_MEGABYTE - len(start) - len(end)) + end
    assert (await send(prepared_calls, case, content, JSON)).status == 201
