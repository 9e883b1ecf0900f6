"""Every operation, called rightly, answers exactly what the contract says."""

import pytest

from tests.contract.api.cases import CASES, Case, cases, name
from tests.contract.api.contract import operations
from tests.contract.api.world import World


@pytest.mark.parametrize("case", cases(), ids=name)
async def test_it_answers_with_the_contracts_fields(world: World, case: Case) -> None:
    scene = await case.scene(world)
    answer = await world.client.call(case.operation.method, scene.path, scene.token, scene.body or None)
    answer.check_success(case.operation)


def test_every_case_is_an_operation_of_the_contract() -> None:
    assert CASES.keys() <= operations().keys()
