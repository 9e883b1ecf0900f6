"""The recording of the session: waited for, downloaded by its signed address, and looked at."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.demo.api import HostApi
from deploy.demo.errors import DemoFailed
from deploy.demo.film import Film, Probed, probe, see
from deploy.demo.models import Recording
from deploy.demo.report import Row
from deploy.demo.waiting import eventually

DONE_SECONDS = 40.0
BEGUN_SECONDS = 10.0
# The length of the file beside the time that passes in its pictures, and beside what the API says.
TOLERANCE_SECONDS = 1.0


@dataclass(frozen=True)
class OnAir:
    """When the host went on air, when the end was asked for, and when all were disconnected; seconds."""

    since: float
    end_asked: float
    all_gone: float


@dataclass(frozen=True)
class Recorded:
    """`told` is what the API says of it, the rest what is in the downloaded file."""

    told: Recording
    size: int
    probed: Probed
    film: Film

    def rows(self, on_air: OnAir) -> list[Row]:
        """What the file holds and what the API says, beside what was on air, and the file."""
        length, api = self.probed.format.duration, self.told
        began = self.film.began(on_air.since)
        return [
            _beginning(began - on_air.since),
            _seconds("from there to the end", on_air.end_asked - began, on_air.all_gone - began, length),
            _seconds("time in its pictures", self.film.seconds, self.film.seconds, self.film.length),
            _seconds("duration", int(length), length, api.duration or 0),
            _same("size in bytes", self.size, api.file_size or 0),
            Row("recording", "tone heard", "yes", "yes" if self.film.tone else "no", self.film.tone),
        ]


async def recorded(api: HostApi, session_id: str) -> Recorded:
    """Wait until the session's recording is done, and look at it. Raises DemoFailed."""
    told = await eventually(
        lambda: api.recordings(session_id),
        lambda found: bool(found) and all(one.status != "recording" for one in found),
        within=DONE_SECONDS,
        otherwise=lambda found: f"the recording is not done: {[one.status for one in found]}",
    )
    if told[0].status != "completed":
        raise DemoFailed(f"the recording {told[0].status}: {told[0].error_message}")
    url = await api.download_url(told[0].id)
    data = await api.fetch(url)
    return Recorded(told[0], len(data), await probe(url), await see(data))


def _beginning(after: float) -> Row:
    """It begins as soon as a recorder is in the room, where nobody may be on air yet."""
    agrees = after <= BEGUN_SECONDS
    return Row(
        "recording", "begins after going on air", f"<= {BEGUN_SECONDS:.0f} s", f"{after:.1f} s", agrees
    )


def _seconds(what: str, least: float, most: float, told: float) -> Row:
    agrees = least - TOLERANCE_SECONDS <= told <= most + TOLERANCE_SECONDS
    return Row("recording", what, f"{(least + most) / 2:.1f} s", f"{told:.1f} s", agrees)


def _same(what: str, really: int, told: int) -> Row:
    return Row("recording", what, f"{really:,}", f"{told:,}", really == told)
