"""Settings of a recorder."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from shared.runtime.settings import DataSettings


class RecorderSettings(DataSettings):
    """The database and the storage are those of the egress service, which receives the webhooks."""

    secrets: ClassVar[tuple[str, ...]] = ("livekit_api_secret",)

    mongodb_uri: str = "mongodb://127.0.0.1:27017/greenroom_egress"
    """The egress service's database."""

    livekit_url: str = "ws://127.0.0.1:7880"
    """LiveKit, where the recorder joins rooms."""
    livekit_api_url: str = "http://127.0.0.1:7880"
    """LiveKit's server API."""
    livekit_api_key: str = "devkey"
    """The key of LiveKit's API."""
    livekit_api_secret: SecretStr = SecretStr("")
    """The secret of LiveKit's API; the recorder's webhooks are signed with it, as LiveKit's are."""

    egress_url: str = "http://127.0.0.1:8002"
    """Where the egress service is, which receives the recorder's webhooks."""

    storage_url: str = "file:///var/lib/greenroom/storage"
    """The egress service's storage."""
    storage_options: Annotated[dict[str, str], Field(default_factory=dict)]
    """The egress service's storage options."""

    spool: Path = Path("/var/lib/greenroom/recorder")
    """A persistent folder of this recorder alone: segments wait there until they are stored."""

    max_jobs: Annotated[int, Field(ge=1, le=64)] = 4
    """How many sessions it records at once. One speaker costs about half a core, four on stage up to 0.8."""

    x264_preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = "superfast"
    """x264's preset; each step towards medium costs half as much again and saves a tenth of the bytes."""
