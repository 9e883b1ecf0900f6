"""The least that a recorder can be: one track of each kind, every picture encoded as it comes, nothing kept.

python -m tests.bench.bare_recorder URL TOKEN        (until it is terminated)
"""

from __future__ import annotations

import asyncio
import sys
from fractions import Fraction

import av
import numpy as np
from livekit import rtc

RATE = 48_000
X264 = {"preset": "superfast", "profile": "main", "crf": "23", "maxrate": "2500k", "bufsize": "5000k"}
X264 |= {
    "g": "60",
    "bf": "0",
    "threads": "1",
    "x264-params": "rc-lookahead=0:sync-lookahead=0:mbtree=0:weightp=0",
}


class BareRecorder:
    def __init__(self) -> None:
        self._home = av.open("/dev/null", "w", format="mpegts")
        self._video = self._home.add_stream("libx264", rate=30, options=X264)
        self._video.width, self._video.height, self._video.pix_fmt = 1280, 720, "yuv420p"
        self._audio = self._home.add_stream("aac", rate=RATE, options={"b": "128k", "aac_coder": "fast"})
        self._audio.layout = "stereo"

    async def watch(self, track: rtc.Track) -> None:
        number = 0
        async for event in rtc.VideoStream(track, capacity=4, format=rtc.VideoBufferType.I420):
            frame = event.frame
            planes = np.frombuffer(frame.data, dtype=np.uint8).reshape(frame.height * 3 // 2, frame.width)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 30)
            self._home.mux(self._video.encode(picture))
            number += 1

    async def listen(self, track: rtc.Track) -> None:
        position = 0
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=2, frame_size_ms=50):
            samples = np.frombuffer(event.frame.data, dtype=np.int16).reshape(-1, 2)
            planes = np.ascontiguousarray(samples.T.astype(np.float32) / 32_768)
            sound = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
            sound.sample_rate, sound.pts, sound.time_base = RATE, position, Fraction(1, RATE)
            self._home.mux(self._audio.encode(sound))
            position += len(samples)


async def main(url: str, token: str) -> None:
    bare, room, tasks = BareRecorder(), rtc.Room(), []

    def follow(track: rtc.Track, *_: object) -> None:
        work = bare.watch if isinstance(track, rtc.RemoteVideoTrack) else bare.listen
        tasks.append(asyncio.create_task(work(track)))

    room.on("track_subscribed", follow)
    await room.connect(url, token)
    sys.stdout.write("in the room\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
