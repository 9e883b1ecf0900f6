"""One case: who calls, what is sent, and whether the answer is one that the document promises."""

from random import Random
from typing import Final

import orjson
import requests
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from shared.ids import new_id
from tests.fuzz.callers import Callers
from tests.fuzz.findings import Finding, Findings
from tests.fuzz.known_values import KnownValues
from tests.fuzz.schemathesis_types import AnyCase

_DEADLINE = 15.0
_SAMPLE = 2000
# What is sent is not held to the document: unknown fields are ignored, and a title may be of spaces alone.
_CHECKS: Final[list[CheckFunction]] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class CaseRunner:
    """Sends cases, and keeps what is wrong with the answers instead of raising it."""

    def __init__(
        self, base_url: str, callers: Callers, known: KnownValues, findings: Findings, random: Random
    ):
        self.findings = findings
        self._base = base_url
        self._callers = callers
        self._known = known
        self._random = random
        self._http = requests.Session()

    def close(self) -> None:
        self._http.close()

    def use_known(self, case: AnyCase, share: float) -> None:
        """Put ids that exist into `share` of the path's parameters, and in half of the body's fields."""
        for name in case.path_parameters:
            value = self._known.for_path(case.path, name)
            if value is not None and self._random.random() < share:
                case.path_parameters[name] = value
            # Schemathesis follows ids of lists too, and finds us there.
            if case.path_parameters[name] in self._callers.own and case.method.upper() != "GET":
                case.path_parameters[name] = new_id()
        case.body = self._known.fill(case.body)

    def send(self, case: AnyCase, caller: str) -> Response:
        answer: Response = case.call(
            base_url=self._base,
            session=self._http,
            headers=self._callers.headers(caller),
            timeout=_DEADLINE,
            allow_redirects=False,
        )
        self.findings.count(case.operation.label, caller, answer.status_code)
        if case.method.upper() == "POST" and answer.status_code < 300:
            self._known.learn(case.path, answer.json().get("data"))
        return answer

    def judge(self, case: AnyCase, caller: str, answer: Response) -> None:
        """Keep what schemathesis or our own look at the envelope finds wrong."""
        try:
            case.validate_response(answer, checks=_CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                self._keep(case, caller, answer, type(failure).__name__, str(failure))
        fault = None if _bare(case, answer) else envelope_fault(answer)
        if fault is not None:
            self._keep(case, caller, answer, "Envelope", fault)

    def _keep(self, case: AnyCase, caller: str, answer: Response, check: str, message: str) -> None:
        self.findings.add(
            Finding(
                operation=case.operation.label,
                check=check,
                status=answer.status_code,
                caller=caller,
                message=message[:_SAMPLE],
                sample=case.as_curl_command(base_url=self._base)[:_SAMPLE],
                answer=answer.text[:_SAMPLE],
            )
        )


def _bare(case: AnyCase, answer: Response) -> bool:
    """Whether it is a file, or what another protocol than ours answers."""
    return "content-disposition" in answer.headers or case.path.startswith("/centrifugo/")


def envelope_fault(answer: Response) -> str | None:
    """What is wrong with the envelope of an answer, if anything."""
    try:
        body = orjson.loads(answer.content)
    except ValueError:
        return "not JSON"
    expected = (
        {"success", "data", "timestamp"}
        if answer.status_code < 300
        else {"success", "error", "code", "timestamp"}
    )
    if not isinstance(body, dict) or not expected <= body.keys():
        return f"without {', '.join(sorted(expected))}"
    if body["success"] is not (answer.status_code < 300) or not isinstance(body["timestamp"], int):
        return "success or timestamp is wrong"
    return None
