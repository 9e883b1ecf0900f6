"""Tracing: off unless the environment asks for it, and what it records when it is on."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.runtime import tracing
from shared.runtime.tracing import SpanKind
from tests.fakes.recorded_spans import (
    RecordedSpans,
    id_of,
    links_of,
    parent_of,
    recorded_spans,
    trace_of,
    traceparent,
)

A, B, C = (digit * 32 for digit in "abc")


@pytest.fixture
def recorded() -> Iterator[RecordedSpans]:
    with recorded_spans() as spans:
        yield spans


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://here:4318", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://here/v1/traces", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://here/v1/metrics"},
    ],
)
def test_it_is_off_unless_the_environment_says_where_traces_go(environ: dict[str, str]) -> None:
    tracing.configure("example", environ)
    assert not tracing.is_on()


def test_services_that_are_not_traced_import_nothing_of_opentelemetry() -> None:
    """The gateway's client of Redis imports the part for metrics by itself."""
    services = ["session", "egress", "attendance", "recorder", "relay"]
    imports = "; ".join(f"import services.{service}.app" for service in services)
    code = f"{imports}; import sys; print([name for name in sys.modules if name == 'opentelemetry'])"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True, env=environ
    )
    assert run.stdout.strip() == "[]"


def test_off_every_step_is_the_same_one_that_does_nothing() -> None:
    steps = (
        tracing.span("a"),
        tracing.child("b"),
        tracing.of_several("c", SpanKind.CONSUMER, {}, [traceparent("a")]),
    )
    assert all(step is tracing.NOTHING for step in steps)
    with tracing.span("a") as span:
        span.set({"k": 1})
        assert (tracing.traceparent(), tracing.ids(), tracing.headers()) == (None, None, {})


def test_steps_within_each_other_are_one_trace(recorded: RecordedSpans) -> None:
    with tracing.span("request", SpanKind.SERVER), tracing.child("call"):
        ids = tracing.ids()
    with tracing.span("another"):
        pass
    call, request, another = recorded.all
    assert ids is not None
    assert ids.trace_id == trace_of(call) == trace_of(request) != trace_of(another)
    assert (parent_of(call), parent_of(request)) == (id_of(request), None)


def test_calls_outside_of_a_trace_are_not_recorded(recorded: RecordedSpans) -> None:
    with tracing.child("find sessions"):
        assert tracing.ids() is None
    assert recorded.all == []


def test_a_failed_step_says_which_error_it_was_and_not_its_text(recorded: RecordedSpans) -> None:
    with pytest.raises(LookupError), tracing.span("request"):
        raise LookupError("anna@example.com")
    [span] = recorded.all
    assert span.attributes == {"error.type": "LookupError"}
    assert not span.status.is_ok
    assert "anna" not in span.to_json()


@pytest.mark.parametrize("unreadable", ["", "no", "00-0-0-01", f"00-{'0' * 32}-{'0' * 16}-01", "ü" * 55])
def test_what_cannot_be_read_begins_a_trace_and_is_no_link(recorded: RecordedSpans, unreadable: str) -> None:
    with tracing.span("request", parent=unreadable, links=[unreadable]):
        pass
    [span] = recorded.all
    assert (parent_of(span), links_of(span)) == (None, [])


def test_a_step_of_one_trace_continues_it(recorded: RecordedSpans) -> None:
    parents = [traceparent("a"), traceparent("a")]
    with tracing.of_several("batch", SpanKind.CONSUMER, {}, parents), tracing.child("write"):
        pass
    write, batch = recorded.all
    assert [trace_of(span) for span in (write, batch)] == [A, A]
    assert (parent_of(batch), links_of(batch)) == (int("a" * 16, 16), [])


def test_a_step_of_several_traces_is_in_each_with_links(recorded: RecordedSpans) -> None:
    """What it does is in the first that is recorded; in one that is not, nothing is."""
    parents = [traceparent("c", sampled=False), traceparent("a"), traceparent("b"), traceparent("a")]
    with tracing.of_several("batch", SpanKind.CONSUMER, {"n": 4}, parents), tracing.child("write"):
        pass
    write, other, batch = recorded.all
    assert [trace_of(span) for span in (write, batch, other)] == [A, A, B]
    assert {*links_of(batch)} == {B, C}
    assert links_of(other) == [A]
    assert other.attributes == batch.attributes
    assert other.end_time is not None
    assert batch.start_time is not None
    assert other.end_time >= batch.start_time


def test_events_without_a_trace_begin_one(recorded: RecordedSpans) -> None:
    with tracing.of_several("batch", SpanKind.CONSUMER, {}, []):
        pass
    [span] = recorded.all
    assert parent_of(span) is None


def test_the_sampler_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    with recorded_spans() as recorded:
        with tracing.span("mine"):
            assert tracing.sampled() is None
            assert tracing.traceparent()
        with tracing.span("theirs", parent=traceparent("a")):
            assert tracing.sampled()
        assert [span.name for span in recorded.all] == ["theirs"]


def test_the_service_is_named_by_the_environment_if_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def resource() -> dict[str, object]:
        with recorded_spans() as recorded:
            with tracing.span("a"):
                pass
            [span] = recorded.all
            return dict(span.resource.attributes)

    assert resource()["service.name"] == "greenroom-tests"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    named = resource()
    assert (named["service.name"], named["deployment.environment.name"]) == ("mine", "staging")
    assert named["service.namespace"] == "greenroom"


_AWAY = """
import json, time
from shared.runtime import log, tracing
log.configure(service="example", level="INFO", output="json")
tracing.configure("example")
started = time.process_time()
for _ in range(20_000):
    with tracing.span("request"):
        pass
recorded = time.process_time() - started
time.sleep({seconds})
started = time.monotonic()
tracing.shutdown(0.5)
print(json.dumps({{"recorded": recorded, "stopped": time.monotonic() - started}}))
"""


@pytest.mark.parametrize("collector", ["silent", "absent"])
def test_a_collector_that_does_not_take_spans_holds_up_nothing(collector: str) -> None:
    """Ten queues full of spans; the log says once that they are not sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if collector == "absent":
            server.close()
        environ = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_EXPORTER_OTLP_HEADERS": "Bearer a-secret",  # unreadable: it is no name=value
        }
        command = [sys.executable, "-c", _AWAY.format(seconds=1.5)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environ)
    took = json.loads(run.stdout)
    # A span costs some 50 us of the processor, whoever takes it.
    assert took["recorded"] < 20
    assert took["stopped"] < 5
    on, not_sent = map(json.loads, run.stderr.splitlines())
    assert (on["event"], not_sent["event"]) == ("tracing.on", "tracing.not_sent")
    assert not_sent["reason"]
    assert "a-secret" not in run.stderr
