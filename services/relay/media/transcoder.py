"""From RTMP into a room, decoded and encoded again: encoders send B-frames, which WebRTC does not know, any
codec, size and rate, and key pictures as rarely as they like.

`python -m services.relay.media.transcoder` is a process of its own: one encoder's media must not hold up
another's. It reads a JSON line (`source`, `livekit_url`, `token`, `video_kbps`) and prints JSON lines: every
second while media is passed on, and with each new problem, what the encoder sends (`video`, `audio`,
`problem`); at the end `error`, unless the encoder ended. It ends with its source, or with its standard input,
and leaves the room before it does.
"""

import asyncio
import json
import os
import sys
import time
from threading import Thread
from typing import Any

import av

from services.relay.media.encoder_input import EncoderInput, NothingToRelay, rtmp
from services.relay.media.room import RoomPublication
from services.relay.media.sinks import PictureSink, SoundSink

_TEND_SECONDS = 0.1
_REPORT_SECONDS = 1.0


class Transcoding:
    """To be made on the event loop that runs it."""

    def __init__(self, video_kbps: int):
        self._room = RoomPublication(video_kbps)
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Exception | None] = self._loop.create_future()
        self._pictures = PictureSink(video_kbps, self._room)
        self._sound = SoundSink(self._room)
        self._input = EncoderInput(self._pictures, self._sound, self._fail, time.monotonic)
        self._reported: dict[str, Any] = {}
        self._reported_at = 0.0

    async def run(self, source: str, livekit_url: str, token: str) -> None:
        """Until the source or the standard input ends. Raises what went wrong."""
        for work in (lambda: self._read(source), self._await_input_end):
            Thread(target=work, daemon=True).start()
        tasks = [asyncio.create_task(self._room.join(livekit_url, token)), asyncio.create_task(self._tend())]
        tasks.append(asyncio.create_task(self._await_room_end()))
        try:
            if (error := await self._over) is not None:
                raise error
        finally:
            for task in tasks:
                task.cancel()
            await self._room.leave()

    def _read(self, source: str) -> None:
        try:
            self._input.read(rtmp(source))
        except Exception as error:
            self._fail(error)
        else:
            self._end()

    def _await_input_end(self) -> None:
        """Whoever started us wants the end, or is gone."""
        sys.stdin.read()
        self._end()

    async def _await_room_end(self) -> None:
        await self._room.ended.wait()
        self._fail(NothingToRelay("LiveKit has ended the connection"))

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._finish, None)

    def _fail(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(self._finish, error)

    def _finish(self, error: Exception | None) -> None:
        """Only the first is heard of: the others follow from it."""
        if not self._over.done():
            self._over.set_result(error)

    async def _tend(self) -> None:
        try:
            while True:
                await self._tend_once()
                await asyncio.sleep(_TEND_SECONDS)
        except Exception as error:
            self._fail(error)

    async def _tend_once(self) -> None:
        if not self._input.comes("video"):
            self._pictures.pause()
            await self._room.withdraw_picture()
        if not self._input.comes("audio"):
            await self._room.withdraw_sound()
        asked = self._room.feedback()
        self._pictures.tend(
            wanted=asked is not None and asked.keyframe_requested,
            target=asked.rate_control.target_bitrate_bps if asked and asked.rate_control else None,
        )
        self._report()

    def _report(self) -> None:
        report = self._input.report()
        now = time.monotonic()
        sent_at = max(self._pictures.sent_at, self._sound.sent_at)
        due = now - sent_at < _REPORT_SECONDS <= now - self._reported_at
        if due or report["problem"] != self._reported.get("problem"):
            self._reported, self._reported_at = report, now
            print_line(report)


def print_line(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


async def _main() -> int:
    arguments = json.loads(sys.stdin.readline())
    try:
        await Transcoding(arguments.pop("video_kbps")).run(**arguments)
    except Exception as error:
        # FFmpeg's whole message contains the address, and with it the stream key.
        print_line(
            {"error": (isinstance(error, av.FFmpegError) and error.strerror) or str(error) or repr(error)}
        )
        return 1
    return 0


if __name__ == "__main__":
    code = asyncio.run(_main())
    sys.stdout.flush()
    # Threads may still be within FFmpeg or the SDK, and wait for what does not come any longer.
    os._exit(code)
