"""Each operation for itself, as everybody: what the document allows, and what it does not."""

from collections.abc import Callable
from random import Random

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.fuzz.case_runner import CaseRunner
from tests.fuzz.schemathesis_types import AnyCase, AnyOperation

# Invented ids are not found: most cases name what exists.
_EXISTING = 0.75
_QUIET = tuple(HealthCheck)


def explore(operation: AnyOperation, caller: str, runner: CaseRunner, cases: int, random: Random) -> int:
    """Try about `cases` cases; fewer where the operation takes too little to vary. How many there were."""
    before = runner.findings.cases
    bad = cases // 3
    for mode, share in ((GenerationMode.POSITIVE, cases - bad), (GenerationMode.NEGATIVE, bad)):
        if share:
            _run(operation, mode, share, random.getrandbits(64), lambda case: _try(case, caller, runner))
    return runner.findings.cases - before


def _try(case: AnyCase, caller: str, runner: CaseRunner) -> None:
    runner.use_known(case, _EXISTING)
    runner.judge(case, caller, runner.send(case, caller))


def _run(
    operation: AnyOperation, mode: GenerationMode, cases: int, seed: int, attempt: Callable[[AnyCase], None]
) -> None:
    settings = hypothesis.settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=_QUIET,
    )

    @hypothesis.seed(seed)
    @settings
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def run(case: AnyCase) -> None:
        attempt(case)

    try:
        run()
    except Unsatisfiable:
        return  # the operation takes nothing that could be bad
