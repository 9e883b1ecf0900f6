"""What is invented in an expression is found: names, labels, services and operations."""

import pytest

from tests.promql import Exports, ExpressionCheck

TEXT = """
# TYPE hits_total counter
hits_total{path="GET /rooms",status="200"} 3
# TYPE waits_seconds histogram
# TYPE jobs gauge
jobs 1
"""


@pytest.fixture
def check() -> ExpressionCheck:
    exports = Exports({"waits_seconds": {"group"}}, {"GET /rooms", "POST /rooms"})
    exports.add("gateway", TEXT)
    exports.add("relay", '# TYPE encoders gauge\nencoders{operation="GET /rooms"} 0\n')
    return ExpressionCheck(exports)


@pytest.mark.parametrize(
    "expression",
    [
        "sum by (status) (rate(hits_total[$__rate_interval]))",
        'hits_total{job="gateway", path=~"GET.*", namespace=~"$namespace"} > 3',
        "histogram_quantile(0.9, sum by (group, le) (rate(waits_seconds_bucket[5m])))",
        'topk(3, sum by (instance) (jobs)) or encoders{operation=~"(GET|POST) /rooms"}',
        "max by (namespace) (jobs) unless on (namespace) sum by (namespace) (hits_total)",
        'up{job="gateway"} == 0',
        'up{part_of="greenroom"} == 0',
    ],
)
def test_what_there_is_may_be_asked_for(check: ExpressionCheck, expression: str) -> None:
    check.labels(expression)
    assert check.problems == []


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("hit_total", "exports hit_total"),
        ("rate(waits_seconds[5m])", "exports waits_seconds"),
        ('jobs{job="relay"}', "of ['relay'] exports jobs"),
        ('jobs{job="gate"}', "of [] exports jobs"),
        ('hits_total{code="200"}', "hits_total has no label code"),
        ('waits_seconds_count{le="1"}', "waits_seconds_count has no label le"),
        ("sum by (code) (hits_total)", "groups by code"),
        ("sum by (status) (sum by (path) (hits_total))", "groups by status"),
        ("jobs / on (status) hits_total", "joins on status"),
        ('encoders{operation=~"DELETE .*"}', "no operation DELETE .*"),
        ('up{part_of="greenhouse"} == 0', "nothing is part of greenhouse"),
        ("histogram_quantile(0.9, sum by (event, le) (waits_seconds_bucket))", "groups by event"),
    ],
)
def test_what_is_invented_is_found(check: ExpressionCheck, expression: str, problem: str) -> None:
    check.labels(expression)
    assert len(check.problems) == 1
    assert problem in check.problems[0]


@pytest.mark.parametrize("text", ["{{path}}", "lost: {{ $labels.path }}"])
def test_a_legend_names_what_remains(check: ExpressionCheck, text: str) -> None:
    check.names(text, "sum by (status) (hits_total)")
    assert len(check.problems) == 1
    check.names("{{ $labels.status }}: {{ $value | humanize }} {{ $value }}", "sum by (status) (hits_total)")
    assert len(check.problems) == 1


def test_what_is_no_promql_is_refused(check: ExpressionCheck) -> None:
    with pytest.raises(ValueError, match="invalid"):
        check.labels("sum by status (jobs)")
