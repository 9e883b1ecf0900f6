"""A whole run over a running stack."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from random import Random

import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict
from schemathesis.schemas import BaseSchema

from deploy.local.stack import Stack
from shared.livekit.whip import SDP, SDP_FRAGMENT
from tests.fuzz.callers import Callers
from tests.fuzz.case_runner import CaseRunner
from tests.fuzz.findings import Findings
from tests.fuzz.known_values import KnownValues
from tests.fuzz.operation_chains import run_chains
from tests.fuzz.schemathesis_types import AnyOperation
from tests.fuzz.single_operations import explore

Progress = Callable[[str, Findings], None]

schemathesis.serializer.alias([SDP, SDP_FRAGMENT], "application/octet-stream")

# Of all cases, those that are steps of chains.
_CHAINED = 0.3
# Cases of one operation by one caller before it is the next one's turn: what exists stays fresh.
_TURN = 9
_CALLERS = tuple(name for name in Callers.NAMES if name != "nobody")


def fuzz(stack: Stack, *, cases: int, seed: int, only: str | None, progress: Progress) -> Findings:
    """Try `cases` cases (rounded up to a turn) on the stack's gateway; `only` is a part of METHOD path."""
    findings, random = Findings(), Random(seed)
    known = KnownValues(random)
    schema = _schema(stack.base_url)
    with _runner(stack, known, findings, random) as (runner, callers):
        chained = 0 if only else int(cases * _CHAINED)
        if chained:
            callers.create_samples()
            run_chains(schema, _CALLERS, runner, chained, random, lambda: progress("chains", findings))
        _explore_all(_operations(schema, only), runner, callers, cases, random, progress)
    return findings


def _explore_all(
    operations: list[AnyOperation],
    runner: CaseRunner,
    callers: Callers,
    cases: int,
    random: Random,
    progress: Progress,
) -> None:
    """Turns in random order, every operation by everybody before any comes again."""
    findings = runner.findings
    while findings.cases < cases:
        turns = list(product(operations, Callers.NAMES))
        random.shuffle(turns)
        each = max(2, min(_TURN, (cases - findings.cases) // len(turns)))
        for number, (operation, caller) in enumerate(turns):
            if findings.cases >= cases:
                return
            if number % 25 == 0:
                callers.create_samples()
            progress(f"{operation.label} as {caller}", findings)
            explore(operation, caller, runner, each, random)


def _operations(schema: BaseSchema, only: str | None) -> list[AnyOperation]:
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    chosen = [operation for operation in found if only is None or only in operation.label]
    if not chosen:
        raise ValueError(f"there is no operation like {only}")
    return chosen


def _schema(base_url: str) -> BaseSchema:
    document = requests.get(f"{base_url}/openapi.json", timeout=10).json()
    # Whoever calls is decided by us, case by case.
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    return from_dict(document, config=config)


@contextmanager
def _runner(
    stack: Stack, known: KnownValues, findings: Findings, random: Random
) -> Iterator[tuple[CaseRunner, Callers]]:
    callers = Callers(stack, known)
    runner = CaseRunner(stack.base_url, callers, known, findings, random)
    try:
        yield runner, callers
    finally:
        runner.close()
        callers.close()
