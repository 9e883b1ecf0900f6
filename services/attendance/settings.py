"""Settings of the attendance service."""

from typing import Annotated

from pydantic import Field

from shared.runtime.settings import DataSettings


class AttendanceSettings(DataSettings):
    mongodb_uri: str = "mongodb://127.0.0.1:27017/greenroom_attendance"
    """The service's own database."""
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    """RabbitMQ."""
    session_url: str = "http://127.0.0.1:8001"
    """Where the session service is."""

    count_every_seconds: Annotated[float, Field(gt=0)] = 1.0
    """How often the viewers of a changed session are counted."""
    adopt_after_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How long changes of another replica may wait before this one counts them."""
