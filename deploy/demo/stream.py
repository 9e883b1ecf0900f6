"""Somebody who watches by HLS: finds the stream, and checks that it plays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from deploy.demo.api import MemberApi
from deploy.demo.errors import DemoFailed
from deploy.demo.film import Film, Probed, probe, see
from deploy.demo.models import Session
from deploy.demo.stamp import WRAP
from deploy.demo.waiting import eventually

PLAYABLE_SECONDS = 30.0
SHOWN_SECONDS = 20.0
GLANCE_SECONDS = 0.5
# By how much the time in the film and the time in its pictures may differ between two looks.
DRIFT_SECONDS = 2.0
MOVES_NEEDED = 5


@dataclass(frozen=True)
class Look:
    """The newest segment at a moment; `latency` is from drawing its last picture to having all of it."""

    film: Film
    latency: float


@dataclass(frozen=True)
class Played:
    """`playable_after` is in seconds from going live, `latency` the median of all looks."""

    playable_after: float
    latency: float
    probed: Probed


class Player:
    """`now` gives seconds on the steady clock that the pictures carry."""

    def __init__(self, api: MemberApi, session_id: str, now: Callable[[], float]) -> None:
        self._api = api
        self._session_id = session_id
        self._now = now
        self._playlist = ""
        self._playable_after = 0.0
        self._looks: list[Look] = []

    async def find(self, live_since: float) -> float:
        """Wait for `hls_url` and the first segment; seconds from going live. Raises DemoFailed."""

        async def session() -> Session:
            return await self._api.session(self._session_id)

        found = await eventually(
            session,
            lambda session: bool(session.hls_url),
            within=PLAYABLE_SECONDS,
            otherwise=lambda _: "the session has no hls_url",
        )
        self._playlist = found.hls_url or ""
        await self._newest()
        self._playable_after = self._now() - live_since
        return self._playable_after

    async def look(self) -> Look:
        """Look at the newest segment that shows the host: the first ones may be of an empty room.

        Raises DemoFailed where none comes with a moving picture and the tone.
        """
        look = await eventually(
            self._glance,
            lambda look: look.film.moves >= MOVES_NEEDED and look.film.tone,
            within=SHOWN_SECONDS,
            otherwise=lambda look: (
                f"the stream does not show the host: {look.film.moves} pictures in motion, "
                f"{'the tone' if look.film.tone else 'no tone'}"
            ),
            every=GLANCE_SECONDS,
        )
        self._looks.append(look)
        return look

    async def _glance(self) -> Look:
        data = await self._newest()
        fetched_at = self._now()
        film = await see(data)
        latency = (fetched_at - film.drawn[-1]) % (WRAP / 1000) if film.drawn else 0.0
        return Look(film, latency)

    async def played(self) -> Played:
        """All looks together. Raises DemoFailed where time in the stream is not real time."""
        first, last = self._looks[0].film, self._looks[-1].film
        drift = (last.shown[-1] - first.shown[0]) - (last.drawn[-1] - first.drawn[0])
        if abs(drift) > DRIFT_SECONDS:
            raise DemoFailed(f"the stream's timestamps are {drift:+.2f} s from real time")
        latencies = sorted(look.latency for look in self._looks)
        probed = await probe(self._playlist)
        return Played(self._playable_after, latencies[len(latencies) // 2], probed)

    async def _newest(self) -> bytes:
        """The newest segment of the playlist. Raises DemoFailed."""
        text = (await self._api.fetch(self._playlist)).decode()
        segments = [line for line in text.splitlines() if line and not line.startswith("#")]
        if not text.startswith("#EXTM3U") or not segments:
            raise DemoFailed(f"{self._playlist} lists nothing to play")
        return await self._api.fetch(urljoin(self._playlist, segments[-1]))
