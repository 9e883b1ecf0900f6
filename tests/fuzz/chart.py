"""The run as a chart: a bar for each status, coloured by caller; below, the latency of others."""

from collections.abc import Iterator, Sequence
from html import escape

from tests.fuzz.findings import Findings
from tests.fuzz.read_latency import ReadLatency, faults

WIDTH, LEFT, BAR, TOP, LINE = 960, 300, 420, 84, 24
COLORS = ("#2f7d4f", "#4472a8", "#c9a227", "#7a5195", "#8a96a3")
KEPT, BROKEN = "#2f7d4f", "#b4572b"


def svg(title: str, findings: Findings, served: Sequence[ReadLatency]) -> str:
    """An SVG document."""
    height = TOP + LINE * (len(findings.statuses) + len(served) + 2)
    parts = [*_legend(sorted(findings.by_caller)), *_statuses(findings)]
    parts += _served(served, TOP + LINE * (len(findings.statuses) + 1))
    wrong = len(findings.all())
    told = f"{findings.cases:,} calls of {len(findings.by_operation)} operations: {wrong} findings"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="16" y="26" font-size="16">{escape(title)}</text>\n'
        f'<text x="16" y="50" fill="{BROKEN if wrong else KEPT}">{told}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _legend(callers: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(callers):
        x = LEFT + number * 120
        yield _bar(x, 60, 10, COLORS[number], 10) + f'<text x="{x + 16}" y="70">{escape(name)}</text>'


def _statuses(findings: Findings) -> Iterator[str]:
    callers, most = sorted(findings.by_caller), max(findings.statuses.values(), default=1)
    for line, (status, count) in enumerate(sorted(findings.statuses.items())):
        y, x = TOP + line * LINE, float(LEFT)
        yield f'<text x="16" y="{y + 13}">answered {status}</text>'
        for color, caller in zip(COLORS, callers, strict=False):
            width = findings.by_status[status, caller] / most * BAR
            yield _bar(x, y, width, color)
            x += width
        yield f'<text x="{x + 8:.0f}" y="{y + 13}">{count:,}</text>'


def _served(served: Sequence[ReadLatency], top: int) -> Iterator[str]:
    most = max((one.p99_ms for one in served), default=1.0)
    for line, one in enumerate(served):
        y = top + line * LINE
        color = BROKEN if faults([served[0], one]) else KEPT
        told = f"p50 {one.p50_ms:g} ms, p99 {one.p99_ms:g} ms, {one.failed} of {one.reads} failed"
        yield f'<text x="16" y="{y + 13}">a read beside {escape(one.beside)}</text>'
        yield _bar(LEFT, y, one.p99_ms / most * BAR * 0.5, color)
        yield f'<text x="{LEFT + one.p99_ms / most * BAR * 0.5 + 8:.0f}" y="{y + 13}">{told}</text>'


def _bar(x: float, y: float, width: float, color: str, height: int = 16) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{color}"/>'
