"""A bad body is refused with one error per field."""

from typing import Any

import pytest

from tests.contract.api.cases import CASES, Case, PreparedCall, PreparedCalls, cases, name
from tests.contract.api.client import Answer
from tests.contract.api.sample_bodies import BadField, bad_rounds, confused

WITH_BODY = [case for case in cases() if case.operation.body]
REQUIRED = [(case.key, field) for case in WITH_BODY for field in case.operation.required]
ROUNDS = [
    pytest.param(case.key, bad, id=f"{case.key} {number}")
    for case in WITH_BODY
    for number, bad in enumerate(bad_rounds(case.operation))
]


async def send(prepared: PreparedCall, body: Any) -> Answer:
    return await prepared.fixtures.client.call(prepared.operation.method, prepared.path, prepared.token, body)


@pytest.mark.parametrize(("key", "field"), REQUIRED)
async def test_a_required_field_is_missed_by_name(
    prepared_calls: PreparedCalls, key: str, field: str
) -> None:
    prepared = await prepared_calls.of(CASES[key])
    without = {name: value for name, value in prepared.body.items() if name != field}
    (await send(prepared, without)).check_bad_fields(field)
    (await send(prepared, prepared.body | {field: None})).check_bad_fields(field)


@pytest.mark.parametrize(("key", "bad"), ROUNDS)
async def test_every_bad_field_is_named(prepared_calls: PreparedCalls, key: str, bad: list[BadField]) -> None:
    prepared = await prepared_calls.of(CASES[key])
    answer = await send(prepared, prepared.body | {one.field: one.value for one in bad})
    answer.check_bad_fields(*(one.path for one in bad))


@pytest.mark.parametrize("case", WITH_BODY, ids=name)
async def test_each_of_several_bad_fields_has_one_entry(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared = await prepared_calls.of(case)
    every = {field: confused(spec) for field, spec in case.operation.fields.items()}
    (await send(prepared, every)).check_bad_fields(*case.operation.fields)


@pytest.mark.parametrize("case", [case for case in WITH_BODY if case.operation.required], ids=name)
async def test_an_empty_body_misses_every_required_field(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared = await prepared_calls.of(case)
    (await send(prepared, {})).check_bad_fields(*case.operation.required)
    answer = await prepared.fixtures.client.raw(prepared.operation.method, prepared.path, prepared.token)
    answer.check_bad_fields(*case.operation.required)
