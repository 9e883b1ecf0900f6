"""Settings of the relay."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class RelaySettings(ServiceSettings):
    """The RTMP server posts its questions to us, so listen where only it can reach us."""

    secrets: ClassVar[tuple[str, ...]] = ("internal_secret", "livekit_api_secret")

    # Where the RTMP server lets us play what encoders publish; the stream key is added.
    rtmp_url: str = "rtmp://127.0.0.1:1935/live"
    egress_url: str = "http://127.0.0.1:8002"

    # Reports are signed as LiveKit's webhooks are.
    livekit_api_key: str = "devkey"
    livekit_api_secret: SecretStr = SecretStr("")

    # Reports that the egress service has not taken yet wait here.
    spool: Path = Path("/var/lib/greenroom/relay")

    video_kbps: Annotated[int, Field(ge=100, le=20_000)] = 3000
