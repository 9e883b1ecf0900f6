"""Settings of the relay."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from shared.runtime.settings import ServiceSettings


class RelaySettings(ServiceSettings):
    """The RTMP server asks the relay over HTTP: listen where only that server can connect."""

    secrets: ClassVar[tuple[str, ...]] = ("internal_secret", "livekit_api_secret")

    rtmp_url: str = "rtmp://127.0.0.1:1935/live"
    """Where the RTMP server plays what encoders publish; the stream key is appended."""
    egress_url: str = "http://127.0.0.1:8002"
    """Where the egress service is."""

    livekit_url: str = "ws://127.0.0.1:7880"
    """Where LiveKit is."""
    livekit_api_key: str = "devkey"
    """The key of LiveKit's API."""
    livekit_api_secret: SecretStr = SecretStr("")
    """The secret of LiveKit's API; the relay's webhooks are signed with it, as LiveKit's are."""

    spool: Path = Path("/var/lib/greenroom/relay")
    """A folder where webhooks wait until the egress service has accepted them."""

    video_kbps: Annotated[int, Field(ge=100, le=20_000)] = 3000
    """The bit rate of the video sent into the room, in kbit/s."""
