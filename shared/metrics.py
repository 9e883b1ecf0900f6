"""The metrics that every service has; served in Prometheus text form at /metrics."""

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

REQUEST_SECONDS = Histogram(
    "greenroom_http_request_seconds",
    "Time to answer, by operation and status",
    ["operation", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSALS = Counter("greenroom_http_refusals_total", "Refused calls, by code", ["code"])

_seconds: dict[tuple[str, int], Histogram] = {}


def observe_request(operation: str, status: int, seconds: float) -> None:
    """Count one answered call; label children are kept, since looking them up costs more than counting."""
    child = _seconds.get((operation, status))
    if child is None:
        child = _seconds[operation, status] = REQUEST_SECONDS.labels(operation, str(status))
    child.observe(seconds)


def exposition() -> tuple[bytes, str]:
    """All metrics of the process, and their content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
