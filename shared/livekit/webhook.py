"""LiveKit's webhooks: the fields we use of `livekit.WebhookEvent`, in protobuf JSON.

In that form names are camelCase, 64-bit integers are strings, and zero values are left out, an enum's
first value included. Fields that a newer LiveKit adds are ignored; a new value of an enum is kept as text.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from shared.errors import FieldError, InvalidRequest
from shared.livekit.ports import LiveKitTrack, Permissions

Enum = Annotated[str, BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)]

# Times since 1970, up to the end of the calendar.
_LAST = 253_402_300_799
Seconds = Annotated[int, Field(ge=0, le=_LAST)]
Milliseconds = Annotated[int, Field(ge=0, le=_LAST * 10**3)]
Nanoseconds = Annotated[int, Field(ge=0, le=_LAST * 10**9)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or None not in fields.values():
            return fields
        return {name: value for name, value in fields.items() if value is not None}


class WebhookRoom(_Message):
    sid: str = ""
    name: str = ""
    creation_time: Seconds = 0
    creation_time_ms: Milliseconds = 0


class Permission(_Message):
    """No `can_publish_sources` means any."""

    can_publish: bool = False
    can_publish_sources: list[Enum] = []
    can_subscribe: bool = False
    can_publish_data: bool = False
    hidden: bool = False
    recorder: bool = False

    @property
    def permissions(self) -> Permissions:
        return Permissions.of(self, self.can_publish_sources)


class WebhookParticipant(_Message):
    """`joined_at_ms` in milliseconds since 1970. Track events carry `sid` and `identity` alone."""

    sid: str = ""
    identity: str = ""
    name: str = ""
    kind: Enum = "standard"
    joined_at: Seconds = 0
    joined_at_ms: Milliseconds = 0
    permission: Permission = Permission()
    attributes: dict[str, str] = {}
    disconnect_reason: Enum = "unknown_reason"


class WebhookCodec(_Message):
    mime_type: str = ""


class WebhookTrack(_Message):
    sid: str = ""
    type: Enum = "audio"
    source: Enum = "unknown"
    muted: bool = False
    mime_type: str = ""
    codecs: list[WebhookCodec] = []

    @property
    def track(self) -> LiveKitTrack:
        mime_types = (self.mime_type, *(codec.mime_type for codec in self.codecs))
        return LiveKitTrack(
            self.sid, self.type, self.source, self.muted, mime_types=tuple(one for one in mime_types if one)
        )


class FileOutput(_Message):
    filepath: str = ""


class SegmentOutput(_Message):
    filename_prefix: str = ""


class RoomComposite(_Message):
    """The request that an egress was started with: where it writes to."""

    file_outputs: list[FileOutput] = []
    segment_outputs: list[SegmentOutput] = []

    @property
    def paths(self) -> list[str]:
        files = [output.filepath for output in self.file_outputs]
        return files + [output.filename_prefix for output in self.segment_outputs]


class EgressFile(_Message):
    """`duration` in nanoseconds; `started_at` is when the first of its media came."""

    filename: str = ""
    location: str = ""
    started_at: Nanoseconds = 0
    size: Annotated[int, Field(ge=0)] = 0
    duration: Annotated[int, Field(ge=0)] = 0


class EgressSegments(_Message):
    playlist_name: str = ""
    segment_count: Annotated[int, Field(ge=0)] = 0


class Egress(_Message):
    """Times in nanoseconds since 1970; 0 if it has not happened."""

    egress_id: str = ""
    room_id: str = ""
    room_name: str = ""
    status: Enum = "egress_starting"
    error: str = ""
    details: str = ""
    started_at: Nanoseconds = 0
    updated_at: Nanoseconds = 0
    ended_at: Nanoseconds = 0
    room_composite: RoomComposite = RoomComposite()
    file_results: list[EgressFile] = []
    segment_results: list[EgressSegments] = []


class IngressState(_Message):
    """Times in nanoseconds since 1970; 0 if it has not happened."""

    status: Enum = "endpoint_inactive"
    error: str = ""
    started_at: Nanoseconds = 0
    updated_at: Nanoseconds = 0
    ended_at: Nanoseconds = 0


class IngressInfo(_Message):
    ingress_id: str = ""
    room_name: str = ""
    participant_identity: str = ""
    state: IngressState = IngressState()


class WebhookEvent(_Message):
    """One webhook. `id` (`EV_…`) is the same across retries; `created_at` is in seconds.

    `num_dropped` counts the webhooks that LiveKit gave up before this one.
    """

    id: Annotated[str, Field(min_length=1)]
    event: Annotated[str, Field(min_length=1)]
    created_at: Seconds = 0
    num_dropped: int = 0
    room: WebhookRoom = WebhookRoom()
    participant: WebhookParticipant | None = None
    track: WebhookTrack | None = None
    egress_info: Egress | None = None
    ingress_info: IngressInfo | None = None

    @property
    def room_name(self) -> str:
        """The room it is about; egress and ingress events name it in their own part."""
        of_egress = self.egress_info.room_name if self.egress_info else ""
        of_ingress = self.ingress_info.room_name if self.ingress_info else ""
        return self.room.name or of_egress or of_ingress


def parse(raw: bytes) -> WebhookEvent:
    """Read a verified body; raises `InvalidRequest` if it is no webhook in protobuf JSON."""
    try:
        return WebhookEvent.model_validate_json(raw)
    except ValidationError as error:
        raise InvalidRequest(
            [_field_error(problem) for problem in error.errors(include_url=False, include_input=False)],
            "The body is not a LiveKit webhook",
        ) from None


def _field_error(problem: ErrorDetails) -> FieldError:
    path = ".".join(str(part) for part in problem["loc"])
    return FieldError(path or "body", problem["type"], problem["msg"])
