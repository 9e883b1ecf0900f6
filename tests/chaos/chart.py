"""The run as a chart: calls by second and outcome above, the rounds and their durations below."""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from tests.chaos.media.setup import Verdict
from tests.chaos.rounds import Round
from tests.chaos.run import Result

WIDTH, LEFT, RIGHT, TOP, GRAPH, LINE = 1120, 160, 330, 44, 160, 20
COLORS = {"acknowledged": "#2f7d4f", "refused": "#c9a227", "unknown": "#b4572b"}
KEPT, BROKEN = "#2f7d4f", "#b4572b"
AWAY, AGAIN = "#44546a", "#a9b6c6"


def svg(title: str, result: Result, verdicts: Sequence[Verdict] = ()) -> str:
    """An SVG document. Seconds run from left to right; each round has a line with its slowest probe.

    The scenes of `verdicts` stand below them, in words.
    """
    seconds = max([call.ended for call in result.calls] + [result.began + 1]) - result.began
    scale = (WIDTH - LEFT - RIGHT) / seconds
    height = TOP + GRAPH + 40 + LINE * (len(result.rounds) + len(verdicts))
    parts = [*_graph(result, scale), *_legend()]
    for number, one in enumerate(result.rounds):
        parts += _round(one, result.began, scale, TOP + GRAPH + 36 + number * LINE)
    for number, verdict in enumerate(verdicts, len(result.rounds)):
        parts.append(_scene(verdict, TOP + GRAPH + 36 + number * LINE))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="16" y="24" font-size="16">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _graph(result: Result, scale: float) -> Iterator[str]:
    """A column for each second, its outcomes on top of each other."""
    counts = Counter((int(call.ended - result.began), call.outcome.value) for call in result.calls)
    most = max(Counter(second for second, _ in counts.elements()).values(), default=1)
    foot = TOP + GRAPH
    for second in range(int(max((second for second, _ in counts), default=0)) + 1):
        y = float(foot)
        for outcome, color in COLORS.items():
            size = counts[second, outcome] / most * GRAPH
            y -= size
            if size:
                yield _bar(LEFT + second * scale, y, max(1.0, scale - 0.5), size, color)
    yield f'<text x="16" y="{TOP + 12}">{most} calls/s</text>'
    yield f'<line x1="{LEFT}" y1="{foot}" x2="{WIDTH - RIGHT}" y2="{foot}" stroke="#8a96a3"/>'
    right = WIDTH - RIGHT
    yield f'<text x="{LEFT}" y="{foot + 16}">0 s</text>'
    yield f'<text x="{right}" y="{foot + 16}" text-anchor="end">{(right - LEFT) / scale:.0f} s</text>'


def _legend() -> Iterator[str]:
    names = {**COLORS, "component away": AWAY, "until the slowest probe": AGAIN}
    for number, (name, color) in enumerate(names.items()):
        y = TOP + 4 + number * 18
        yield (
            _bar(WIDTH - RIGHT + 20, y, 10, 10, color)
            + f'<text x="{WIDTH - RIGHT + 36}" y="{y + 10}">{name}</text>'
        )


def _round(one: Round, began: float, scale: float, y: float) -> Iterator[str]:
    slowest = max(
        (took if took is not None else one.over - one.ready for took in one.recovered.values()), default=0
    )
    yield f'<text x="16" y="{y + 11}">{escape(one.what)} {escape(one.component)}</text>'
    yield _bar(LEFT + (one.began - began) * scale, y, (one.ready - one.began) * scale, 12, AWAY)
    yield _bar(LEFT + (one.ready - began) * scale, y, max(1.0, slowest * scale), 12, AGAIN)
    color = BROKEN if one.faults else KEPT
    away = one.ready - one.began
    told = f"away {away:.1f} s, all on {slowest:.1f} s after"
    if one.what == "freeze":
        told += f", longest wait {one.longest_wait:.2f} s"
    yield f'<text x="{WIDTH - RIGHT + 20}" y="{y + 11}" fill="{color}">{told}</text>'


def _scene(verdict: Verdict, y: float) -> str:
    color = BROKEN if verdict.faults else KEPT
    told = f"{len(verdict.faults)} faults" if verdict.faults else "all right"
    after = f"{verdict.what}: {told} {verdict.seconds:.1f} s after"
    return f'<text x="16" y="{y + 11}" fill="{color}">{escape(after)}</text>'


def _bar(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'
