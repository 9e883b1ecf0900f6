"""Every operation, called correctly, answers exactly as the contract says."""

import pytest

from tests.contract.api.cases import CASES, NOT_SIGNED_IN, Case, cases, name
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import Fixtures


@pytest.mark.parametrize("case", cases(), ids=name)
async def test_it_answers_with_the_contracts_fields(fixtures: Fixtures, case: Case) -> None:
    prepared = await case.prepare(fixtures)
    answer = await fixtures.client.call(
        case.operation.method, prepared.path, prepared.token, prepared.body or None
    )
    answer.check_success(case.operation)


def test_every_operation_of_the_contract_is_a_case() -> None:
    assert len(operations()) == 100
    assert CASES.keys() | NOT_SIGNED_IN == operations().keys()
    assert not CASES.keys() & NOT_SIGNED_IN
