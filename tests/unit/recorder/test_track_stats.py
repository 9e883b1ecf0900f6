"""A camera that is on and sends no picture is named in the log, once, with what is known of why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from structlog.testing import capture_logs

from services.recorder.room import track_stats
from services.recorder.room.track_stats import report_standstill

MUTED, SILENT = "muted", "silent"
Look = tuple[int, int, int] | str
"""Packets, frames and decoded frames at one look; or that the track is muted, or that the SDK is silent."""


class Camera:
    """A track and its publication, of which each look finds the next of `looks`."""

    sid = "TR_camera"

    def __init__(self, looks: Sequence[Look]):
        self._looks = list(looks)
        self.seen = asyncio.Event()

    @property
    def muted(self) -> bool:
        if self._looks[:1] == [MUTED]:
            self._looks.pop(0)
            return True
        return False

    async def get_stats(self) -> list[Any]:
        if not self._looks:
            self.seen.set()
            await asyncio.Event().wait()
        look = self._looks.pop(0)
        if isinstance(look, str):
            raise TimeoutError
        received = SimpleNamespace(packets_received=look[0])
        inbound = SimpleNamespace(
            jitter_buffer_delay=0.0,
            jitter_buffer_emitted_count=0,
            frames_received=look[1],
            frames_decoded=look[2],
        )
        report = SimpleNamespace(inbound_rtp=SimpleNamespace(received=received, inbound=inbound))
        report.WhichOneof = lambda _: "inbound_rtp"
        return [report]


async def logged(looks: Sequence[Look], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is said of a camera: the events and their reasons."""
    monkeypatch.setattr(track_stats, "STALE_SECONDS", 0.0)
    camera = Camera(looks)
    with capture_logs() as lines:
        watching = asyncio.create_task(
            report_standstill(cast(rtc.Track, camera), cast(rtc.RemoteTrackPublication, camera))
        )
        await camera.seen.wait()
        watching.cancel()
    assert {line["track"] for line in lines} <= {camera.sid}
    return [(line["event"], line.get("reason", "")) for line in lines if line["event"] != "track.no_stats"]


@pytest.mark.parametrize(
    ("next_look", "reason"),
    [
        ((50, 20, 10), "nothing arrives"),
        ((60, 20, 10), "only parts of pictures arrive"),
        ((60, 25, 10), "what arrives cannot be decoded"),
    ],
)
async def test_a_standstill_is_said_with_its_reason(
    next_look: Look, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((event, why),) = await logged([(50, 20, 10), next_look], monkeypatch)
    assert event == "camera.no_picture"
    assert why.startswith(reason)


async def test_a_camera_that_never_begins_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    ((event, _),) = await logged([(0, 0, 0), (0, 0, 0)], monkeypatch)
    assert event == "camera.no_picture"


async def test_a_standstill_is_said_once_and_so_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [(5, 2, 2), (5, 2, 2), (5, 2, 2), (9, 4, 4), (12, 6, 6), (12, 6, 6)]
    events = [event for event, _ in await logged(looks, monkeypatch)]
    assert events == ["camera.no_picture", "camera.picture_again", "camera.no_picture"]


@pytest.mark.parametrize("gap", [MUTED, SILENT])
async def test_a_camera_that_is_off_or_not_counted_is_not_said_to_stand(
    gap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await logged([(5, 2, 2), gap, (5, 2, 2), gap, (5, 2, 2), (9, 4, 4)], monkeypatch) == []
