"""Watching by HLS: waits for the stream, and checks that it plays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from deploy.demo.api import MemberApi
from deploy.demo.host_signal import WRAP
from deploy.demo.media_file import DecodedMedia, ProbeResult, decode, probe
from deploy.demo.waiting import DemoFailed, eventually

PLAYABLE_SECONDS = 30.0
SHOWN_SECONDS = 20.0
SAMPLE_SECONDS = 0.5
# By how much the stream's time and the time in its pictures may drift apart between two samples.
DRIFT_SECONDS = 2.0
MOVES_NEEDED = 5


@dataclass(frozen=True)
class SegmentSample:
    """The newest segment at a moment; `latency` is from drawing its last picture to having all of it."""

    decoded: DecodedMedia
    latency: float


@dataclass(frozen=True)
class HlsResult:
    """`playable_after` is in seconds from going live, `latency` the median of all samples."""

    playable_after: float
    latency: float
    probed: ProbeResult


class HlsPlayer:
    """`now` gives seconds on the steady clock that the pictures carry."""

    def __init__(self, api: MemberApi, session_id: str, now: Callable[[], float]) -> None:
        self._api = api
        self._session_id = session_id
        self._now = now
        self._playlist = ""
        self._playable_after = 0.0
        self._samples: list[SegmentSample] = []

    async def find(self, live_since: float) -> float:
        """Wait for `hls_url` and the first segment; seconds from going live. Raises DemoFailed."""
        session = await eventually(
            lambda: self._api.session(self._session_id),
            lambda session: bool(session.hls_url),
            within=PLAYABLE_SECONDS,
            otherwise=lambda _: "the session has no hls_url",
        )
        self._playlist = session.hls_url or ""
        await self._newest_segment()
        self._playable_after = self._now() - live_since
        return self._playable_after

    async def sample(self) -> SegmentSample:
        """The newest segment that shows the host: the first ones may be of an empty room.

        Raises DemoFailed if none with a moving picture and the tone comes.
        """
        sample = await eventually(
            self._newest_sample,
            lambda sample: sample.decoded.moves >= MOVES_NEEDED and sample.decoded.tone,
            within=SHOWN_SECONDS,
            otherwise=lambda sample: (
                f"the stream does not show the host: {sample.decoded.moves} pictures in motion, "
                f"{'the tone' if sample.decoded.tone else 'no tone'}"
            ),
            every=SAMPLE_SECONDS,
        )
        self._samples.append(sample)
        return sample

    async def result(self) -> HlsResult:
        """All samples together. Raises DemoFailed if time in the stream is not real time."""
        first, last = self._samples[0].decoded, self._samples[-1].decoded
        drift = (last.shown[-1] - first.shown[0]) - (last.drawn[-1] - first.drawn[0])
        if abs(drift) > DRIFT_SECONDS:
            raise DemoFailed(f"the stream's timestamps are {drift:+.2f} s from real time")
        latencies = sorted(sample.latency for sample in self._samples)
        probed = await probe(self._playlist)
        return HlsResult(self._playable_after, latencies[len(latencies) // 2], probed)

    async def _newest_sample(self) -> SegmentSample:
        data = await self._newest_segment()
        fetched_at = self._now()
        decoded = await decode(data)
        latency = (fetched_at - decoded.drawn[-1]) % (WRAP / 1000) if decoded.drawn else 0.0
        return SegmentSample(decoded, latency)

    async def _newest_segment(self) -> bytes:
        """Raises DemoFailed if the playlist lists none."""
        text = (await self._api.fetch(self._playlist)).decode()
        segments = [line for line in text.splitlines() if line and not line.startswith("#")]
        if not text.startswith("#EXTM3U") or not segments:
            raise DemoFailed(f"{self._playlist} lists nothing to play")
        return await self._api.fetch(urljoin(self._playlist, segments[-1]))
