"""A picture that stands still: said in words, and waited for."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from deploy.demo import participants
from deploy.demo.api import HostApi
from deploy.demo.connection import ClientConnection
from deploy.demo.participants import Host, Participants
from deploy.demo.standstill import PictureCounts, reason


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (PictureCounts(10, 100, 10), "the host's camera encodes nothing"),
        (PictureCounts(40, 100, 10), "LiveKit has paused its track"),
        (PictureCounts(40, 130, 10), "too little or too late arrives"),
        (PictureCounts(40, 130, 35), "pictures arrive and are decoded"),
    ],
)
def test_the_reason_is_where_pictures_were_lost(after: PictureCounts, words: str) -> None:
    assert reason(PictureCounts(10, 100, 10), after).startswith(words)


async def test_a_standstill_is_noted_with_its_reason_and_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(participants, "NOTED_SECONDS", 0.0)
    noted = asyncio.Event()
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        noted.set()

    everybody = Participants(Host(cast(HostApi, None)), [], note)
    ada = ClientConnection("Ada", time.monotonic)
    waiting = asyncio.create_task(everybody.moves(ada, 0))
    await noted.wait()
    ada.reception.moves += 1
    await waiting
    assert notes == [
        "Ada receives a picture that stands still: LiveKit has not passed the host's camera on to it"
    ]
