"""Chains of operations along the document's links: make a room, a session in it, start it, end it."""

from collections.abc import Callable
from random import Random
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.core.transport import Response
from schemathesis.generation.stateful import run_state_machine_as_test
from schemathesis.generation.stateful.state_machine import APIStateMachine
from schemathesis.schemas import BaseSchema

from tests.fuzz.case_runner import CaseRunner
from tests.fuzz.schemathesis_types import AnyCase

STEPS = 12
# How often somebody else than the one who began takes a step.
_STRANGER = 0.2


# Chains in a row. Hypothesis notices that the same choices lead elsewhere in an API that has changed
# meanwhile, and gives up that row; the next one starts again.
_ROW = 5


def run_chains(
    schema: BaseSchema,
    callers: tuple[str, ...],
    runner: CaseRunner,
    cases: int,
    random: Random,
    before_row: Callable[[], None],
) -> None:
    """Try chains of up to `STEPS` steps until there were `cases` cases."""
    ends_at = runner.findings.cases + cases
    while runner.findings.cases < ends_at:
        before_row()
        machine = hypothesis.seed(random.getrandbits(64))(_chain(schema, callers, runner, random))
        try:
            run_state_machine_as_test(machine, settings=_SETTINGS)
        except FlakyStrategyDefinition:
            continue


def _chain(
    schema: BaseSchema, callers: tuple[str, ...], runner: CaseRunner, random: Random
) -> type[APIStateMachine]:
    class Chain(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self.beginner = random.choice(callers)

        def call(self, case: AnyCase, **_: Any) -> Response:
            self.caller = random.choice(callers) if random.random() < _STRANGER else self.beginner
            runner.use_known(case, 0.0)
            return runner.send(case, self.caller)

        def validate_response(self, response: Response, case: AnyCase, *_: Any, **__: Any) -> None:
            runner.judge(case, self.caller, response)

    return Chain


_SETTINGS = hypothesis.settings(
    max_examples=_ROW,
    stateful_step_count=STEPS,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=tuple(HealthCheck),
)
