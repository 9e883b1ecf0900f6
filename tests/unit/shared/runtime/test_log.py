"""What is logged, and what never is."""

import json
import subprocess
import sys

import pytest

_FAILS = """
import structlog
from shared.runtime import log

def sign_in(password):
    raise ZeroDivisionError

log.configure(service="example", level="INFO", output="{output}")
try:
    sign_in("open " + "sesame")
except ZeroDivisionError:
    structlog.get_logger().exception("http.bug")
"""


@pytest.mark.parametrize("output", ["json", "console"])
def test_a_bug_is_logged_without_the_values_of_variables(output: str) -> None:
    argv = [sys.executable, "-c", _FAILS.format(output=output)]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stderr
    assert "http.bug" in told
    assert "ZeroDivisionError" in told
    assert "open sesame" not in told


_WORKS = """
import json, sys, structlog
from shared.runtime import log, tracing
log.configure(service="example", level="INFO", output="json")
if len(sys.argv) > 1:
    tracing.configure("example", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
with tracing.span("request"):
    log.bind_request_id("a-request")
    log.bind_session("a-session")
    log.bind_session(organization_id="an-organization")
    structlog.get_logger().info("work.done", session_id="said by the line itself")
    log.bind_request_id("the next one")
    structlog.get_logger().info("work.done")
"""


@pytest.mark.parametrize("traced", [True, False])
def test_lines_say_what_was_worked_on_and_nothing_of_the_request_before(traced: bool) -> None:
    argv = [sys.executable, "-c", _WORKS, *(["traced"] * traced)]
    lines = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stderr.splitlines()
    first, second = [line for line in map(json.loads, lines) if line["event"] == "work.done"]
    ids = {"trace_id", "span_id"} if traced else set()
    said = {"event", "level", "timestamp", "service", "request_id"}
    assert first.keys() == said | {"session_id", "organization_id"} | ids
    assert (first["request_id"], first["organization_id"]) == ("a-request", "an-organization")
    assert first["session_id"] == "said by the line itself"
    assert second.keys() == said | ids
    assert {len(first[name]) for name in ids} == ({16, 32} if traced else set())
