"""Settings of the egress service."""

from typing import ClassVar

from pydantic import SecretStr

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
