"""The rows that the dashboards of several services have; `job` is the service in Prometheus."""

from __future__ import annotations

from typing import Final

from deploy.documents.dashboards.grafana import Panel, PanelQuery, PanelRow
from deploy.documents.dashboards.panels import each, level, p95, rates
from deploy.documents.dashboards.queries import quantile, rate, ratio, selected, total

# What machines ask every few seconds says nothing of how people are served.
_ASKED: Final = 'operation!~"GET /(healthz|readyz|metrics)"'
_REQUESTS: Final = "greenroom_http_request_seconds"
_HANDLING: Final = "greenroom_bus_handling_seconds"
_LIVEKIT: Final = "greenroom_livekit_call_seconds"
_DATABASE: Final = "greenroom_database_seconds"


def state(job: str) -> PanelRow:
    """The gateway depends on nothing to be ready."""
    mine = f'job="{job}"'
    ready = total("greenroom_ready", mine)
    versions = f"count by (version) ({selected('greenroom_build_info', mine)})"
    panels = [
        Panel("Ready replicas", "short", [PanelQuery(ready, "ready")], kind="stat"),
        Panel("Replicas by version", "short", [PanelQuery(versions, "{{version}}")], kind="stat"),
    ]
    if job != "gateway":
        reached = f"min by (dependency) ({selected('greenroom_dependency_up', mine)})"
        about = "1 while every replica reaches it."
        panels.append(Panel("Dependencies", "short", [PanelQuery(reached, "{{dependency}}")], about))
    return PanelRow("State", panels)


def requests(job: str) -> PanelRow:
    mine, counts = f'job="{job}"', f"{_REQUESTS}_count"
    errors = ratio(rate(counts, mine, _ASKED, 'status=~"5.."'), rate(counts, mine, _ASKED))
    times = [PanelQuery(quantile(q, _REQUESTS, mine, _ASKED), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)]
    failed = ["operation", "status"]
    return PanelRow(
        "Requests",
        [
            rates("Requests by status", counts, mine, _ASKED, by=["status"], unit="reqps", stacked=True),
            Panel("Server errors", "percentunit", [PanelQuery(errors, "5xx")], "Share of all answers."),
            Panel("Time to answer", "s", times),
            rates("Most frequent", counts, mine, _ASKED, by=["operation"], unit="reqps", most=10),
            p95("Slowest (p95)", _REQUESTS, mine, _ASKED, by=["operation"], most=10),
            rates("Failing", counts, mine, _ASKED, 'status=~"5.."', by=failed, unit="reqps", most=10),
        ],
    )


def events(job: str) -> PanelRow:
    mine = f'job="{job}"'
    failed = ["group", "event", "outcome"]
    return PanelRow(
        "Events",
        [
            rates("Handled, by group", "greenroom_bus_handled_total", mine, by=["group"]),
            rates("Handlers that failed", f"{_HANDLING}_count", mine, 'outcome!="ok"', by=failed),
            p95("Time of a handler (p95)", _HANDLING, mine, by=["group", "event"], most=10),
            level(
                "Oldest event in hand",
                "greenroom_bus_oldest_unacknowledged_seconds",
                mine,
                by=["group"],
                unit="s",
            ),
            level(
                "Oldest event not published",
                "greenroom_outbox_oldest_seconds",
                mine,
                by=["collection"],
                unit="s",
            ),
            level("Dead letters", "greenroom_bus_dead_letters", mine, by=["group"]),
        ],
    )


def livekit(job: str) -> PanelRow:
    mine, failed = f'job="{job}"', ["method", "outcome"]
    about = "not_found is usual for people and rooms that are gone."
    return PanelRow(
        "LiveKit",
        [
            rates("Calls, by method", f"{_LIVEKIT}_count", mine, by=["method"]),
            p95("Time of a call (p95)", _LIVEKIT, mine, by=["method"]),
            rates("Calls that failed", f"{_LIVEKIT}_count", mine, 'outcome!="ok"', by=failed, about=about),
        ],
    )


def database(job: str) -> PanelRow:
    mine, operation = f'job="{job}"', ["collection", "operation"]
    failed = [*operation, "reason"]
    return PanelRow(
        "Database",
        [
            rates("Operations, by collection", f"{_DATABASE}_count", mine, by=["collection"], most=10),
            p95("Time of an operation (p95)", _DATABASE, mine, by=operation, most=10),
            rates("Operations that failed", "greenroom_database_failures_total", mine, by=failed),
        ],
    )


def process(job: str) -> PanelRow:
    mine = f'job="{job}"'
    late = quantile(0.99, "greenroom_event_loop_late_seconds", mine, by=["instance"])
    about = "For so long everything in the process waits."
    return PanelRow(
        f"Processes of {job}",
        [
            rates("CPU (cores)", "process_cpu_seconds_total", mine, by=["instance"], unit="short"),
            each("Memory", "process_resident_memory_bytes", mine, unit="bytes"),
            each("Open files", "process_open_fds", mine),
            Panel("Event loop late (p99)", "s", [PanelQuery(late, "{{instance}}")], about),
        ],
    )
