"""Settings of the egress service."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from shared.contracts.states import Layout
from shared.egress.engine import EncodingOptions
from shared.runtime.settings import DataSettings, Keys


class EgressSettings(DataSettings):
    secrets: ClassVar[tuple[str, ...]] = ("internal_secret", "livekit_api_secret")

    mongodb_uri: str = "mongodb://127.0.0.1:27017/greenroom_egress"
    """The service's own database; recorders use it, too."""
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    """RabbitMQ."""

    livekit_api_url: str = "http://127.0.0.1:7880"
    """LiveKit's server API."""
    livekit_api_key: str = "devkey"
    """The key of LiveKit's API."""
    livekit_api_secret: SecretStr = SecretStr("")
    """The secret of LiveKit's API; LiveKit's webhooks are checked with it."""
    livekit_previous_keys: dict[str, SecretStr] = Field(default={})
    """API key → its secret: webhooks signed by these are accepted, too, while LiveKit's key is replaced."""

    ingest: Literal["livekit", "embedded"] = "livekit"
    """Who receives RTMP: LiveKit Ingress (LiveKit then needs `redis:` and `ingress:`, above), or our relay
    behind an RTMP server."""
    rtmp_url: str = "rtmp://127.0.0.1:1935/live"
    """Where encoders reach the RTMP server of our own (`embedded`)."""

    session_url: str = "http://127.0.0.1:8001"
    """Where the session service is."""

    engine: Literal["livekit", "embedded"] = "livekit"
    """What makes streams and recordings: LiveKit Egress (LiveKit then needs `redis:`, above), or
    Greenroom's recorders."""
    storage_url: str = "file:///var/lib/greenroom/storage"
    """Where files go: `file:///directory` or `s3://bucket/prefix`. LiveKit Egress writes to the same: it
    must reach the bucket, or have the directory mounted under the same path."""
    storage_options: Keys = Field(default={}, repr=False)
    """Options of an S3 storage: `region`, `endpoint`, `access_key_id`, `secret_access_key`."""
    public_url: str = "http://127.0.0.1:8080"
    """The gateway's address for clients; links to files begin with it."""

    stream_layout: Literal["grid", "speaker", "single-speaker"] = "grid"
    """How people are arranged in streams and recordings of rooms without a `layout`: all alike, the active
    speaker large with the others beside, or the active speaker alone. With LiveKit Egress its
    templates decide, too, what is cropped; Greenroom's recorders show the newest shared screen in the
    speaker's place, in a grid as well, and crop cameras as a preset's `grid_video_fit` says."""
    stream_width: Annotated[int, Field(ge=160, le=3840, multiple_of=2)] = 1280
    """The width of the picture in pixels, an even number. A room's `quality` replaces size and bit rate."""
    stream_height: Annotated[int, Field(ge=90, le=2160, multiple_of=2)] = 720
    """The height of the picture in pixels, an even number."""
    stream_frame_rate: Annotated[int, Field(ge=1, le=60)] = 30
    """Frames per second, of rooms without `fps`."""
    stream_video_kbps: Annotated[int, Field(ge=100, le=50_000)] = 2500
    """The bit rate of the video, in kbit/s."""
    stream_audio_kbps: Annotated[int, Field(ge=32, le=512)] = 128
    """The bit rate of the audio, in kbit/s."""
    stream_segment_seconds: Annotated[int, Field(ge=1, le=10)] | None = None
    """The length of a segment of the stream. By default 2; 1 with LiveKit Egress, which begins later: it
    shows a segment once the next one is complete."""

    recordings_kept_days: Annotated[int, Field(ge=1)] | None = None
    """The hourly cleanup deletes older recordings."""
    recordings_quota_bytes: Annotated[int, Field(ge=0)] | None = None
    """The hourly cleanup deletes the oldest recordings beyond this total size."""
    streams_kept_days: Annotated[int, Field(ge=1)] | None = None
    """The hourly cleanup deletes the HLS of sessions that ended this long ago; without it, HLS is deleted
    with its session."""

    reconcile_period_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0
    """How often LiveKit is compared with the expected state."""

    @property
    def livekit_keys(self) -> Keys:
        """API key → secret, of every key that webhooks may be signed with."""
        previous = {key: secret.get_secret_value() for key, secret in self.livekit_previous_keys.items()}
        return previous | {self.livekit_api_key: self.livekit_api_secret.get_secret_value()}

    @property
    def encoding(self) -> EncodingOptions:
        return EncodingOptions(
            layout=Layout(self.stream_layout.replace("-", "_")),
            width=self.stream_width,
            height=self.stream_height,
            frame_rate=self.stream_frame_rate,
            video_kbps=self.stream_video_kbps,
            audio_kbps=self.stream_audio_kbps,
            segment_seconds=self.stream_segment_seconds or (1 if self.engine == "livekit" else 2),
        )
