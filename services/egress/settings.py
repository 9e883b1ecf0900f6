"""Settings of the egress service."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class EgressSettings(ServiceSettings):
    """`livekit_url` is what clients use, `livekit_api_url` where our own calls go."""

    secrets: ClassVar[tuple[str, ...]] = ("internal_secret", "livekit_api_secret")

    mongodb_uri: str = "mongodb://127.0.0.1:27017/greenroom_egress"
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"

    livekit_url: str = "ws://127.0.0.1:7880"
    livekit_api_url: str = "http://127.0.0.1:7880"
    livekit_api_key: str = "devkey"
    livekit_api_secret: SecretStr = SecretStr("")

    session_url: str = "http://127.0.0.1:8001"

    # How often LiveKit is compared with what we believe, in seconds.
    reconcile_period_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0
