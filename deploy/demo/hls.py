"""Watching by HLS: waits for the stream, and checks that it plays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from urllib.parse import urljoin

from deploy.demo.api import MemberApi
from deploy.demo.host_signal import WRAP
from deploy.demo.media_file import DecodedMedia, ProbeResult, decode, probe
from deploy.demo.waiting import DemoFailed, eventually

SAMPLE_SECONDS = 0.5
# By how much the stream's time and the time in its pictures may drift apart between two samples.
DRIFT_SECONDS = 2.0
# A segment's length, and what a machine with time to spare takes to make it.
USUAL_LATENCY_SECONDS = 3.0
MOVES_NEEDED = 2


@dataclass(frozen=True)
class SegmentSample:
    """The newest segment at a moment; `latency` is from drawing its last picture to having all of it."""

    decoded: DecodedMedia
    latency: float


@dataclass(frozen=True)
class HlsResult:
    """`playable_after` is in seconds from going live, `latency` the median of all samples.

    `lag` is how much later than usual pictures came at the worst: on a busy machine the stream falls behind.
    """

    playable_after: float
    latency: float
    lag: float
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
        earlier: list[float] = []

        def shows_the_host(sample: SegmentSample) -> bool:
            """On a busy machine a segment may have a single picture; then it moves from one to the next."""
            earlier.extend(sample.decoded.drawn)
            return sample.decoded.tone and len(set(earlier)) > MOVES_NEEDED

        sample = await eventually(
            self._newest_sample,
            shows_the_host,
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
        latencies = [sample.latency for sample in self._samples]
        lag = max(0.0, max(latencies) - USUAL_LATENCY_SECONDS)
        if abs(drift) > DRIFT_SECONDS + lag:
            raise DemoFailed(f"the stream's timestamps are {drift:+.2f} s from real time")
        return HlsResult(self._playable_after, median(latencies), lag, await probe(self._playlist))

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
