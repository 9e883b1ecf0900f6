"""The recording of the session: waited for, downloaded by its signed URL, and checked."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.demo.api import HostApi, RecordingData
from deploy.demo.comparison import DurationRange, Row, exact, in_seconds
from deploy.demo.media_file import DecodedMedia, ProbeResult, decode, probe
from deploy.demo.waiting import DemoFailed, eventually

BEGUN_SECONDS = 10.0
# The length of the file beside what was on air and beside what the API says, and a drift of its clock.
TOLERANCE_SECONDS = 1.0


@dataclass(frozen=True)
class OnAirTimes:
    """When the host went on air, the stream could be played, the end was requested and all were disconnected.

    In seconds; `lag` is how much later than usual pictures reached the stream at the worst.
    """

    since: float
    playable_at: float
    end_asked: float
    all_gone: float
    lag: float


@dataclass(frozen=True)
class RecordingCheck:
    """`answer` is what the API says of it, the rest is from the downloaded file."""

    answer: RecordingData
    size: int
    probed: ProbeResult
    decoded: DecodedMedia

    def rows(self, on_air: OnAirTimes) -> list[Row]:
        """Compares the file with what was on air, and the API's answer with the file."""
        length, api, decoded = self.probed.format.duration, self.answer, self.decoded
        began = decoded.began(on_air.since)
        from_there = DurationRange(on_air.end_asked - began, on_air.all_gone - began)
        return [
            _beginning(began - on_air.since, on_air.playable_at - on_air.since),
            _seconds("from there to the end", from_there, length, on_air.lag),
            _seconds("drift of its clock", DurationRange(0.0, 0.0), decoded.drift, on_air.lag),
            _seconds("duration", DurationRange(int(length), length), float(api.duration or 0)),
            exact("recording", "size in bytes", self.size, api.file_size or 0),
            exact("recording", "tone heard", "yes", "yes" if decoded.tone else "no"),
        ]


async def check_recording(api: HostApi, session_id: str) -> RecordingCheck:
    """Wait until the session's recording is done, and probe and decode it. Raises DemoFailed."""
    answer = await eventually(
        lambda: api.recordings(session_id),
        lambda found: bool(found) and all(one.status != "recording" for one in found),
        otherwise=lambda found: f"the recording is not done: {[one.status for one in found]}",
    )
    if answer[0].status != "completed":
        raise DemoFailed(f"the recording {answer[0].status}: {answer[0].error_message}")
    url = await api.download_url(answer[0].id)
    data = await api.fetch(url)
    return RecordingCheck(answer[0], len(data), await probe(url), await decode(data))


def _beginning(after: float, playable_after: float) -> Row:
    """It begins as soon as a recorder is in the room, perhaps before anybody is on air.

    On a busy machine at the latest with what could first be played of the stream.
    """
    limit = max(BEGUN_SECONDS, playable_after)
    agrees = after <= limit
    return Row("recording", "begins after going on air", f"<= {limit:.0f} s", f"{after:.1f} s", agrees)


def _seconds(what: str, really: DurationRange, reported: float, lag: float = 0.0) -> Row:
    return in_seconds("recording", what, really, reported, TOLERANCE_SECONDS + lag)
