"""Which operations anonymous callers, viewers, colleagues and other organizations may call."""

import pytest

from shared.ids import new_id
from tests.contract.api.accounts import Person
from tests.contract.api.cases import Case, PreparedCall, PreparedCalls, cases, name
from tests.contract.api.client import Answer
from tests.contract.api.sample_bodies import UNKNOWN_ID

NOT_PUBLIC = cases(lambda operation: operation.access != "public")
# Public, but for signing in: a client sends its expired token along to be given a new one.
PUBLIC = cases(lambda operation: operation.access == "public" and not operation.path.startswith("/auth/"))
SIGNING_IN = cases(lambda operation: operation.access == "public" and operation.path.startswith("/auth/"))
HOSTING = cases(lambda operation: operation.access in {"host", "moderator"})
ADMIN = cases(lambda operation: operation.access == "admin")
# What acts on something of a host's, named in the path or in the body.
OWNED = [case for case in HOSTING if case.operation.takes_id or "session_id" in case.operation.fields]
WITH_ID = cases(lambda operation: operation.takes_id)
BAD_TOKENS = {
    "not a token": "Bearer nonsense",
    "empty": "Bearer ",
    "unknown scheme": "Digest abc",
    "unsigned": "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ4In0.",
}


async def call(prepared: PreparedCall, by: Person | None, path: str | None = None) -> Answer:
    token = by.access_token if by else None
    return await prepared.fixtures.client.call(
        prepared.operation.method, path or prepared.path, token, prepared.body or None
    )


@pytest.mark.parametrize("case", NOT_PUBLIC, ids=name)
async def test_nobody_is_asked_to_sign_in(prepared_calls: PreparedCalls, case: Case) -> None:
    answer = await call(await prepared_calls.of(case), None)
    answer.check_refusal(401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", BAD_TOKENS.values(), ids=BAD_TOKENS)
@pytest.mark.parametrize("case", NOT_PUBLIC, ids=name)
async def test_bad_credentials_are_refused(prepared_calls: PreparedCalls, case: Case, header: str) -> None:
    prepared = await prepared_calls.of(case)
    headers = {"Authorization": header}
    client, method = prepared.fixtures.client, prepared.operation.method
    (await client.call(method, prepared.path, None, prepared.body or None, headers=headers)).check_refusal(
        401
    )


@pytest.mark.parametrize("case", PUBLIC, ids=name)
async def test_bad_credentials_are_refused_where_none_are_needed(
    prepared_calls: PreparedCalls, case: Case
) -> None:
    prepared = await prepared_calls.of(case)
    headers = {"Authorization": "Bearer nonsense"}
    client, method = prepared.fixtures.client, prepared.operation.method
    (await client.call(method, prepared.path, None, prepared.body or None, headers=headers)).check_refusal(
        401
    )


@pytest.mark.parametrize("case", SIGNING_IN, ids=name)
async def test_an_old_token_does_not_hinder_signing_in(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared = await prepared_calls.of(case)
    headers = {"Authorization": "Bearer nonsense"}
    client, operation = prepared.fixtures.client, prepared.operation
    answer = await client.call(operation.method, prepared.path, None, prepared.body or None, headers=headers)
    assert answer.status == operation.status


@pytest.mark.parametrize("case", HOSTING, ids=name)
async def test_viewers_may_not_host(prepared_calls: PreparedCalls, case: Case) -> None:
    (await call(await prepared_calls.of(case), prepared_calls.fixtures.viewer)).check_refusal(403)


@pytest.mark.parametrize("case", ADMIN, ids=name)
async def test_only_administrators_administer(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared = await prepared_calls.of(case)
    for person in (prepared_calls.fixtures.host, prepared_calls.fixtures.viewer):
        (await call(prepared, person)).check_refusal(403, "admin_required")


@pytest.mark.parametrize("case", OWNED, ids=name)
async def test_a_colleague_may_not_act_for_the_host(prepared_calls: PreparedCalls, case: Case) -> None:
    (await call(await prepared_calls.of(case), prepared_calls.fixtures.colleague)).check_refusal(
        403, "not_the_host"
    )


@pytest.mark.parametrize("case", OWNED, ids=name)
async def test_for_another_organization_it_does_not_exist(prepared_calls: PreparedCalls, case: Case) -> None:
    (await call(await prepared_calls.of(case), prepared_calls.fixtures.outsider)).check_refusal(404)


@pytest.mark.parametrize("case", WITH_ID, ids=name)
async def test_an_unknown_id_names_nothing(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared = await prepared_calls.of(case)
    (await call(prepared, prepared.caller, prepared.at(new_id()))).check_refusal(404)


@pytest.mark.parametrize("bad", ["nope", "1", "%00", "{}".ljust(300, "x"), UNKNOWN_ID[:-1], UNKNOWN_ID + "0"])
@pytest.mark.parametrize("case", WITH_ID, ids=name)
async def test_a_malformed_id_names_nothing(prepared_calls: PreparedCalls, case: Case, bad: str) -> None:
    prepared = await prepared_calls.of(case)
    (await call(prepared, prepared.caller, prepared.at(bad))).check_refusal(404)


@pytest.mark.parametrize("case", WITH_ID, ids=name)
async def test_ids_may_be_written_in_capitals(prepared_calls: PreparedCalls, case: Case) -> None:
    # What succeeds needs a call prepared just now: sessions without a host end, and guests leave the stage.
    prepared = await (prepared_calls.of(case) if case in HOSTING else case.prepare(prepared_calls.fixtures))
    shouted = prepared.at(prepared.id.upper())
    stranger = prepared_calls.fixtures.colleague if case in HOSTING else prepared.caller
    expected = 403 if case in HOSTING else case.operation.status
    assert (await call(prepared, stranger, shouted)).status == expected
