"""Settings of the egress service."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from services.egress.engines.ports import Look
from shared.settings import Keys, ServiceSettings


class EgressSettings(ServiceSettings):
    """`livekit_url` is what clients use, `livekit_api_url` where our own calls go."""

    secrets: ClassVar[tuple[str, ...]] = ("internal_secret", "livekit_api_secret")

    mongodb_uri: str = "mongodb://127.0.0.1:27017/greenroom_egress"
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"

    livekit_url: str = "ws://127.0.0.1:7880"
    livekit_api_url: str = "http://127.0.0.1:7880"
    livekit_api_key: str = "devkey"
    livekit_api_secret: SecretStr = SecretStr("")

    # Who takes RTMP: LiveKit Ingress, or the relay beside an RTMP server of our own, which encoders reach at
    # `rtmp_url`.
    ingest: Literal["livekit", "embedded"] = "livekit"
    rtmp_url: str = "rtmp://127.0.0.1:1935/live"

    session_url: str = "http://127.0.0.1:8001"

    # What makes streams and recordings: LiveKit Egress, or the recorders that come with Greenroom.
    engine: Literal["livekit", "embedded"] = "livekit"
    # Where files go: file:///directory or s3://bucket/prefix, with S3's options (region, endpoint,
    # access_key_id, secret_access_key). LiveKit Egress must reach the same under the same path.
    storage_url: str = "file:///var/lib/greenroom/storage"
    storage_options: Keys = Field(default={}, repr=False)
    # What links to files begin with.
    public_url: str = "http://127.0.0.1:8080"

    # The picture of streams and recordings: pixels, pictures a second, kbit/s, seconds a segment.
    stream_layout: Literal["grid", "speaker", "single-speaker"] = "grid"
    stream_width: Annotated[int, Field(ge=160, le=3840, multiple_of=2)] = 1280
    stream_height: Annotated[int, Field(ge=90, le=2160, multiple_of=2)] = 720
    stream_frame_rate: Annotated[int, Field(ge=1, le=60)] = 30
    stream_video_kbps: Annotated[int, Field(ge=100, le=50_000)] = 2500
    stream_audio_kbps: Annotated[int, Field(ge=32, le=512)] = 128
    stream_segment_seconds: Annotated[int, Field(ge=1, le=10)] = 2

    # What a cleanup deletes, which runs every hour: older recordings, and the oldest of too many bytes.
    recordings_kept_days: Annotated[int, Field(ge=1)] | None = None
    recordings_quota_bytes: Annotated[int, Field(ge=0)] | None = None
    # The HLS of a session goes when the session is deleted, or so long after its end.
    streams_kept_days: Annotated[int, Field(ge=1)] | None = None

    # How often LiveKit is compared with what we believe, in seconds.
    reconcile_period_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0

    @property
    def look(self) -> Look:
        return Look(
            layout=self.stream_layout,
            width=self.stream_width,
            height=self.stream_height,
            frame_rate=self.stream_frame_rate,
            video_kbps=self.stream_video_kbps,
            audio_kbps=self.stream_audio_kbps,
            segment_seconds=self.stream_segment_seconds,
        )
