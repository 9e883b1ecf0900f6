"""The end of the demo as people read it: what was seen beside what the API reports, and what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.demo.film import Probed
from deploy.demo.outcome import Outcome
from deploy.demo.recording import Recorded
from deploy.demo.report import Row
from deploy.demo.stream import Played

LABEL_WIDTH = 36
MARKS = {True: "[green]ok[/green]", False: "[bold red]differs[/bold red]"}
RUNS_ON = (
    "The stack goes on running. Its API is described, and can be tried, at {base_url}/docs",
    "Look at the session again: GET {base_url}/sessions/{session_id}",
    "Addresses and sign-ins are in stack.json of its data directory; `greenroom down` stops it.",
)
STOPPED = (
    "The stack that was started for this demo is stopped now. To have one that stays:",
    "  greenroom demo --keep   or   greenroom up   and then open /docs at the address it shows",
)


def show_outcome(console: Console, outcome: Outcome) -> None:
    console.print()
    console.print(_comparison(outcome.rows))
    console.print()
    for label, value in _facts(outcome):
        console.print(f"  {label:<{LABEL_WIDTH}}{value}", markup=False, highlight=False, soft_wrap=True)
    console.print()
    wrong = [row for row in outcome.rows if not row.agrees]
    for row in wrong:
        text = f"{row.who}: {row.what}: really {row.really}, the API says {row.reported}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    if not wrong:
        console.print("The API reports exactly what happened.", style="bold green")


def _comparison(rows: Sequence[Row]) -> Table:
    table = Table(title="What really happened, and what the API reports", title_justify="left")
    for heading in ("who", "what", "really", "the API", ""):
        table.add_column(heading, justify="right" if heading in ("really", "the API") else "left")
    last = ""
    for row in rows:
        if last and row.who != last:
            table.add_section()
        who = "" if row.who == last else row.who
        table.add_row(who, row.what, row.really, row.reported, MARKS[row.agrees])
        last = row.who
    return table


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    place, media = outcome.place, outcome.media
    return [
        ("Going live to the first frame", f"{media.first_frame_seconds:.2f} s"),
        ("From drawn to seen", f"{media.delay_milliseconds} ms (median)"),
        ("Frames received by the viewers", str(media.frames)),
        *_stream(outcome.played),
        *_file(outcome.recording),
        ("Session", place.session_id),
        ("Room", place.room_id),
        ("Preset", place.preset_id),
    ]


def _stream(played: Played | None) -> list[tuple[str, str]]:
    if played is None:
        return []
    return [
        ("Going live to a stream that plays", f"{played.playable_after:.1f} s"),
        ("From drawn to a finished segment", f"{played.latency:.1f} s"),
        ("Stream", _codecs(played.probed)),
    ]


def _file(recording: Recorded) -> list[tuple[str, str]]:
    told, length = recording.told, recording.probed.format.duration
    return [
        ("Recording", f"{told.id}: {length:.1f} s, {recording.size:,} bytes, {_codecs(recording.probed)}")
    ]


def _codecs(probed: Probed) -> str:
    return f"{probed.codec('video')} {probed.picture}, {probed.codec('audio')}"


def show_goodbye(
    console: Console, base_url: str, session_id: str, film: Path | None, *, runs_on: bool
) -> None:
    """How to go on from here; `film` is the recording's file, where it is on this machine."""
    lines = RUNS_ON if runs_on else STOPPED
    told = [line.format(base_url=base_url, session_id=session_id) for line in lines]
    for line in [*([] if film is None else [f"The recording's file: {film}"]), *told]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
