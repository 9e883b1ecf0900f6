"""What an encoder sends, as the transcoder reports it."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class VideoInput:
    """FFmpeg's name of the codec, or the FourCC of an unknown one; the size as passed on, 0 before that."""

    codec: str
    width: int
    height: int


@dataclass(frozen=True)
class AudioInput:
    """The codec, named as a picture's; as it came: samples a second and channels, 0 if not known yet."""

    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class InputReport:
    """None for what the encoder does not send; `problem` says in a sentence what of it is not passed on."""

    video: VideoInput | None = None
    audio: AudioInput | None = None
    problem: str | None = None

    @classmethod
    def of(cls, line: dict[str, Any]) -> Self:
        """Of a line of the transcoder."""
        video, audio = line.get("video"), line.get("audio")
        return cls(
            video=VideoInput(**video) if video else None,
            audio=AudioInput(**audio) if audio else None,
            problem=line.get("problem"),
        )

    def to_json(self) -> dict[str, object]:
        return asdict(self)
