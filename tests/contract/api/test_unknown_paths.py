"""Unknown paths and methods."""

import re

import pytest

from tests.contract.api.cases import CASES, Case, PreparedCalls, cases, name
from tests.contract.api.client import Client
from tests.contract.api.contract import Operation, operations

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_IN_A_PATH = re.compile(r"\{\w+\}")
PATHS = sorted({case.operation.path for case in CASES.values()})
NOT_THERE = (
    "/nothing",
    "/rooms/01890a5d-ac96-774b-bcce-b302099a8057/nothing",
    "/libraries",
    "/libraries/01890a5d-ac96-774b-bcce-b302099a8057",
    "/libraries/01890a5d-ac96-774b-bcce-b302099a8057/nothing",
    "/internal/sessions/01890a5d-ac96-774b-bcce-b302099a8057",
    "/internal/api-keys/exchange",
    "/internal/ingests",
)


@pytest.mark.parametrize("path", NOT_THERE)
async def test_an_unknown_path_is_not_there(client: Client, path: str) -> None:
    for method in ("GET", "POST"):
        (await client.call(method, path)).check_refusal(404)


@pytest.mark.parametrize("path", PATHS)
async def test_another_method_is_refused_and_the_right_ones_named(client: Client, path: str) -> None:
    at = _IN_A_PATH.sub("01890a5d-ac96-774b-bcce-b302099a8057", path)
    methods = {operation.method for operation in operations().values() if _reaches(operation, at)}
    for method in set(METHODS) - methods:
        answer = await client.call(method, at)
        answer.check_refusal(405, "method_not_allowed")
        allowed = {name.strip() for name in answer.headers["Allow"].split(",")}
        assert allowed & set(METHODS) == methods & _built(at)


def _reaches(operation: Operation, path: str) -> bool:
    return re.fullmatch(_IN_A_PATH.sub("[^/]+", operation.path), path) is not None


def _built(path: str) -> set[str]:
    return {case.operation.method for case in CASES.values() if _reaches(case.operation, path)}


@pytest.mark.parametrize("case", cases(lambda operation: not operation.mirrored), ids=name)
async def test_what_is_of_no_library_has_no_mirror(prepared_calls: PreparedCalls, case: Case) -> None:
    prepared = await prepared_calls.of(case)
    answer = await prepared.fixtures.client.call(
        case.operation.method, prepared.mirrored_path, prepared.token, prepared.body or None
    )
    answer.check_refusal(404, "no_such_path")
