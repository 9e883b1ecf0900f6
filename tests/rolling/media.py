"""A stream by RTMP, watched by HLS and recorded, while recorder, egress services and relay are replaced.

The encoder connects again when it is disconnected, as OBS does.
"""

import asyncio
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from signal import SIGTERM
from typing import Any
from urllib.parse import urljoin

import aiohttp
import av

from deploy.api_client import ApiClient, CallFailed
from deploy.demo.media_file import decode
from tests.publishers.second_recorder import second_recorder
from tests.rolling.replicas import deployed
from tests.running_stack import RunningStack
from tests.waiting import eventually

DEADLINE = 180.0
# So many new segments are waited for after each replacement.
MORE_SEGMENTS = 5
LOOK_EVERY = 0.25
RECONNECT_SECONDS = 1.0
# A recorder that takes over joins the room, and needs a key picture, before it has a segment of 2 s.
LONGEST_WAIT = 20.0
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000")
CODING = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac")


@dataclass
class Watch:
    """When each segment was first seen in the playlist, and each state the session was seen in."""

    http: ApiClient
    session_id: str
    seen: dict[str, float] = field(default_factory=dict)
    states: set[str] = field(default_factory=set)
    unanswered: int = 0

    async def run(self) -> None:
        """Look until cancelled; what the services do not answer meanwhile is counted."""
        while True:
            try:
                await self.look()
            except CallFailed:
                self.unanswered += 1
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> int:
        """How many segments there were until now."""
        session = await self.http.call("GET", f"/sessions/{self.session_id}")
        self.states.add(session["status"])
        if url := session["hls_url"]:
            for line in (await self.http.fetch(url)).decode().splitlines():
                if line and not line.startswith("#"):
                    self.seen.setdefault(urljoin(url, line), time.monotonic())
        return len(self.seen)

    async def is_heard(self) -> bool:
        """Whether the newest segment has the encoder's tone."""
        newest = max(self.seen, key=self.seen.__getitem__)
        return (await decode(await self.http.fetch(newest))).tone

    def longest_wait(self, began: float, ended: float) -> float:
        """The longest time without a new segment that touches this span."""
        times = sorted(self.seen.values())
        return max(
            (after - before for before, after in pairwise(times) if after >= began and before <= ended),
            default=0.0,
        )


@dataclass(frozen=True)
class Replacement:
    """`seconds` until another process was ready, `heard_after` until the stream has the encoder's tone again.

    `longest_wait`: seconds without a new segment.
    """

    component: str
    seconds: float
    heard_after: float
    longest_wait: float


@dataclass(frozen=True)
class MediaResult:
    """`recorded` and `lasted`: the recording's seconds, and those from its first segment to the end.

    `connected`: how often the encoder connected.
    """

    replacements: list[Replacement]
    states: list[str]
    unanswered: int
    recording: str
    recorded: float
    lasted: float
    connected: int

    @property
    def faults(self) -> list[str]:
        found = [
            f"no segment for {one.longest_wait:.1f} s while {one.component} was replaced"
            for one in self.replacements
            if one.longest_wait > LONGEST_WAIT
        ]
        if self.states != ["live"]:
            found.append(f"the session was {', '.join(self.states)}")
        if self.recording != "completed":
            found.append(f"the recording is {self.recording}")
        return found


async def run(stack: RunningStack, folder: Path, say: Callable[[str], None]) -> MediaResult:
    info = stack.info
    async with (
        deployed(stack, folder) as deployment,
        aiohttp.ClientSession() as client,
        second_recorder(stack, folder),
    ):
        http = await ApiClient(info.base_url, client).sign_in(info.host.email, info.host.password)
        made = await _session(http)
        watch = Watch(http, made["session"]["id"])
        async with _encoder(f"{made['rtmp_url']}/{made['stream_key']}") as connected:
            await eventually(watch.look, lambda many: many >= MORE_SEGMENTS, DEADLINE)
            watch.states.clear()
            began = time.monotonic()
            watching = asyncio.create_task(watch.run())
            try:
                replacements = [
                    await _replaced(name, watch, say, replace)
                    for name, replace in (
                        ("recorder", lambda: stack.restart("recorder", number=SIGTERM, within=DEADLINE)),
                        ("egress 1", lambda: deployment.replace("egress", 0)),
                        ("egress 2", lambda: deployment.replace("egress", 1)),
                        ("relay", lambda: stack.restart("relay", number=SIGTERM, within=DEADLINE)),
                    )
                ]
            finally:
                watching.cancel()
            lasted = time.monotonic() - min(watch.seen.values())
            say(f"the stream was watched for {time.monotonic() - began:.0f} s")
            await http.call("POST", f"/sessions/{watch.session_id}/end")
        recording = await _recording(http, watch.session_id)
        seconds = await _length(http, recording)
    states, status = sorted(watch.states), recording["status"]
    return MediaResult(replacements, states, watch.unanswered, status, seconds, lasted, len(connected))


async def _replaced(
    name: str, watch: Watch, say: Callable[[str], None], replace: Callable[[], Awaitable[object]]
) -> Replacement:
    """Returns when the stream has gone on for a while."""
    began = time.monotonic()
    await replace()
    seconds, there = time.monotonic() - began, len(watch.seen)

    async def more() -> int:
        return len(watch.seen) - there

    await eventually(more, lambda many: many >= MORE_SEGMENTS, DEADLINE)
    await eventually(watch.is_heard, bool, DEADLINE)
    heard_after = time.monotonic() - began
    one = Replacement(name, seconds, heard_after, watch.longest_wait(began, time.monotonic()))
    say(
        f"{name}: another one after {seconds:.1f} s, heard after {heard_after:.1f} s, "
        f"{one.longest_wait:.1f} s without a segment at most"
    )
    return one


async def _session(http: ApiClient) -> Any:
    look = {"name": "Encoder", "type": "rtmp", "primary_color": "#112233", "recording_enabled": True}
    preset = await http.call("POST", "/presets", body=look)
    room = (await http.call("POST", "/rooms", body={"title": "Rolling"}))["room"]
    body = {"title": "By encoder", "preset_id": preset["id"], "mode": "rtmp"}
    return await http.call("POST", f"/rooms/{room['id']}/sessions", body=body)


@asynccontextmanager
async def _encoder(url: str) -> AsyncIterator[list[Process]]:
    """Sends while the block runs; a process for each of its connections."""
    command = ("ffmpeg", "-loglevel", "error", "-re", *PICTURE, *SOUND, *CODING, "-f", "flv", url)
    connections: list[Process] = []

    async def send() -> None:
        while True:
            process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stderr=DEVNULL)
            connections.append(process)
            await process.wait()
            await asyncio.sleep(RECONNECT_SECONDS)

    sending = asyncio.create_task(send())
    try:
        yield connections
    finally:
        sending.cancel()
        for process in connections:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _recording(http: ApiClient, session_id: str) -> Any:
    async def look() -> Any:
        return (await http.call("GET", f"/sessions/{session_id}/recordings"))["recordings"]

    found = await eventually(
        look, lambda found: found and found[0]["status"] in {"completed", "failed"}, DEADLINE
    )
    return found[0]


async def _length(http: ApiClient, recording: Any) -> float:
    """The seconds that the file plays."""
    if recording["status"] != "completed":
        return 0.0
    url = (await http.call("GET", f"/recordings/{recording['id']}/download"))["download_url"]
    with av.open(BytesIO(await http.fetch(url)), "r") as file:
        return float((file.duration or 0) / av.time_base)
