"""Settings of the attendance service."""

from typing import Annotated

from pydantic import Field

from shared.settings import ServiceSettings


class AttendanceSettings(ServiceSettings):
    mongodb_uri: str = "mongodb://127.0.0.1:27017/greenroom_attendance"
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    session_url: str = "http://127.0.0.1:8001"

    # How often a changed session is counted again, and how long another replica's changes may wait.
    count_every_seconds: Annotated[float, Field(gt=0)] = 1.0
    adopt_after_seconds: Annotated[float, Field(gt=0)] = 5.0
