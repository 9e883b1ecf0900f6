"""docs/permissions.md: what each role may do, and which flags of a preset decide that.

For every role and permission the flags are tried out on the function itself: those that matter, and the
fewest of them that have to be on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from itertools import combinations
from typing import Final

from shared.access.permissions import RolePermissions, Switches, permissions_of
from shared.contracts.states import PresetSettings, PresetType, Role, StageSeat
from shared.livekit.ports import TrackSource

FLAGS: Final = tuple(name for name, field in PresetSettings.model_fields.items() if field.annotation is bool)
# What is decided about one guest on stage, beside the preset.
SEAT_FLAGS: Final = ("can_publish_audio", "can_publish_video")
# What is no permission of anybody: whether going live records.
OF_THE_SESSION: Final = frozenset({"recording_enabled"})

_SEAT = StageSeat(id="", name="", joined_stage_at=datetime(2030, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Part:
    """One who takes part: a role, and whether they are on stage."""

    title: str
    role: Role
    seated: bool = False


PARTS: Final = (
    Part("host", Role.HOST),
    Part("co-host", Role.CO_HOST),
    Part("moderator", Role.MODERATOR),
    Part("moderator on stage", Role.MODERATOR, seated=True),
    Part("guest on stage", Role.STAGE, seated=True),
    Part("audience", Role.AUDIENCE),
)

# Each permission by name, as it is found in what the function answers.
Answer = Callable[[RolePermissions], bool]


def _publishes(source: TrackSource) -> Answer:
    return lambda may: source in may.publish


def _granted(name: str) -> Answer:
    return lambda may: bool(getattr(may, name))


PERMISSIONS: Final[Mapping[str, Answer]] = {
    **{f"publish {source.value}": _publishes(source) for source in TrackSource},
    **{field.name: _granted(field.name) for field in fields(RolePermissions) if field.name != "publish"},
}


def granted(part: Part, on: Iterable[str]) -> RolePermissions:
    """What somebody may do where exactly these flags are on."""
    return _granted_by(part, frozenset(on))


@cache
def _granted_by(part: Part, flags: frozenset[str]) -> RolePermissions:
    preset = PresetSettings(
        name="", type=PresetType.WHIP, primary_color="", **{flag: flag in flags for flag in FLAGS}
    )
    switches = Switches(chat=preset.chat_enabled, stage=preset.stage_enabled, polls=preset.poll_enabled)
    seat = _SEAT.model_copy(update={flag: flag in flags for flag in SEAT_FLAGS}) if part.seated else None
    return permissions_of(part.role, preset, switches, seat)


def deciding(part: Part, answer: Answer) -> list[tuple[str, ...]] | None:
    """The fewest flags that have to be on, one tuple an alternative; None where none are enough.

    Nothing but the empty tuple: it is so whatever the flags.
    """
    every = (*FLAGS, *SEAT_FLAGS)
    if not answer(granted(part, every)):
        return None
    matter = [flag for flag in every if _matters(part, answer, flag, every)]
    enough: list[tuple[str, ...]] = []
    for size in range(len(matter) + 1):
        for some in combinations(matter, size):
            if not any(set(known) <= set(some) for known in enough) and answer(granted(part, some)):
                enough.append(some)
    return enough


def _matters(part: Part, answer: Answer, flag: str, every: Sequence[str]) -> bool:
    """Whether the flag makes a difference, alone or where another is off."""
    for off in every:
        rest = [other for other in every if other not in {flag, off}]
        if answer(granted(part, rest)) != answer(granted(part, [*rest, flag])):
            return True
    return False


def permissions_document() -> bytes:
    heads = ["may", *(part.title for part in PARTS)]
    rows = [[f"`{name}`", *(_cell(part, answer) for part in PARTS)] for name, answer in PERMISSIONS.items()]
    lines = [_line(heads), _line("---" for _ in heads), *map(_line, rows)]
    return (_INTRODUCTION + "\n".join(lines) + "\n").encode()


def _cell(part: Part, answer: Answer) -> str:
    alternatives = deciding(part, answer)
    if alternatives is None:
        return "no"
    if alternatives == [()]:
        return "yes"
    return " or ".join(" and ".join(f"`{flag}`" for flag in some) for some in alternatives)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


_INTRODUCTION = """# Permissions

Made from `shared/access/permissions.py` by `greenroom openapi`: do not edit. Every check of the API, every
join token and the reconciler use that one function.

Roles: the host of the room; co-hosts and moderators by assignment; guests on stage by their place there;
everybody else is audience. An API key of the organization acts as the host. Banned people may do nothing.

A cell names the preset flags that must be on. `chat_enabled` and `stage_enabled` are the effective values:
the session's runtime override if there is one, else the preset's. `can_publish_audio` and `can_publish_video`
are set for each guest on stage. Nobody publishes data; everybody may subscribe. `recording_enabled` says
whether going live starts a recording. `max_join_limit` is the number of guests on stage at once.


"""
