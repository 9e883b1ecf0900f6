"""The short form of `make fuzz`: a few hundred cases."""

import pytest

from deploy.local.stack import Stack
from tests.fuzz.findings import Findings
from tests.fuzz.run import fuzz

CASES = 400


@pytest.mark.timeout(360)
def test_every_answer_is_one_that_the_document_promises(stack: Stack) -> None:
    def progress(doing: str, findings: Findings) -> None:
        """Nobody watches."""

    findings = fuzz(stack, cases=CASES, seed=20_260, only=None, progress=progress)
    assert findings.all() == []
    assert findings.cases >= CASES
    assert len(findings.by_operation) > 60
    assert sum(findings.reached().values()) > 20
