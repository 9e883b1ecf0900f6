"""docs/permissions.md: what each role may do, and which flags of a preset decide that; scopes of API keys.

For every role and permission the function itself is called with combinations of flags, to find those that
matter and the fewest of them that have to be on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from itertools import combinations
from operator import attrgetter
from typing import Final

from deploy.documents.scopes import scopes_section
from shared.access.permissions import RolePermissions, Switches, permissions_for_role
from shared.contracts.states import PresetSettings, PresetType, Role, StageSeat
from shared.http.routes import Route
from shared.livekit.ports import TrackSource

FLAGS: Final = tuple(name for name, field in PresetSettings.model_fields.items() if field.annotation is bool)
# Set for each guest on stage, in addition to the preset.
SEAT_FLAGS: Final = ("can_publish_audio", "can_publish_video")
# No permission of anybody: whether going live records.
OF_THE_SESSION: Final = frozenset({"recording_enabled"})

_SEAT = StageSeat(id="", name="", joined_stage_at=datetime(2030, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class RoleColumn:
    """One column of the table: a role, and whether it is on stage."""

    title: str
    role: Role
    seated: bool = False


ROLE_COLUMNS: Final = (
    RoleColumn("host", Role.HOST),
    RoleColumn("co-host", Role.CO_HOST),
    RoleColumn("moderator", Role.MODERATOR),
    RoleColumn("moderator on stage", Role.MODERATOR, seated=True),
    RoleColumn("guest on stage", Role.STAGE, seated=True),
    RoleColumn("audience", Role.AUDIENCE),
)

# Reads one permission from the answer of the function.
Answer = Callable[[RolePermissions], bool]


def _publishes(source: TrackSource) -> Answer:
    return lambda may: source in may.publish


PERMISSIONS: Final[Mapping[str, Answer]] = {
    **{f"publish {source.value}": _publishes(source) for source in TrackSource},
    **{field.name: attrgetter(field.name) for field in fields(RolePermissions) if field.name != "publish"},
}


def granted(column: RoleColumn, on: Iterable[str]) -> RolePermissions:
    """The permissions if exactly these flags are on."""
    return _granted_by(column, frozenset(on))


@cache
def _granted_by(column: RoleColumn, flags: frozenset[str]) -> RolePermissions:
    preset = PresetSettings(
        name="", type=PresetType.WHIP, primary_color="", **{flag: flag in flags for flag in FLAGS}
    )
    switches = Switches(chat=preset.chat_enabled, stage=preset.stage_enabled, polls=preset.poll_enabled)
    seat = _SEAT.model_copy(update={flag: flag in flags for flag in SEAT_FLAGS}) if column.seated else None
    return permissions_for_role(column.role, preset, switches, seat)


def deciding(column: RoleColumn, answer: Answer) -> list[tuple[str, ...]] | None:
    """The fewest flags that have to be on, one tuple for each alternative; None if no flags are enough.

    Only the empty tuple: it is allowed whatever the flags.
    """
    every = (*FLAGS, *SEAT_FLAGS)
    if not answer(granted(column, every)):
        return None
    matter = [flag for flag in every if _matters(column, answer, flag, every)]
    enough: list[tuple[str, ...]] = []
    for size in range(len(matter) + 1):
        for some in combinations(matter, size):
            if not any(set(known) <= set(some) for known in enough) and answer(granted(column, some)):
                enough.append(some)
    return enough


def _matters(column: RoleColumn, answer: Answer, flag: str, every: Sequence[str]) -> bool:
    """Whether the flag makes a difference, alone or with another one off."""
    for off in every:
        rest = [other for other in every if other not in {flag, off}]
        if answer(granted(column, rest)) != answer(granted(column, [*rest, flag])):
            return True
    return False


def permissions_document(routes: Iterable[Route]) -> bytes:
    heads = ["may", *(column.title for column in ROLE_COLUMNS)]
    lines = [_line(heads), _line("---" for _ in heads)]
    for name, answer in PERMISSIONS.items():
        lines.append(_line([f"`{name}`", *(_cell(column, answer) for column in ROLE_COLUMNS)]))
    return (_INTRODUCTION + "\n".join(lines) + "\n" + scopes_section(routes)).encode()


def _cell(column: RoleColumn, answer: Answer) -> str:
    alternatives = deciding(column, answer)
    if alternatives is None:
        return "no"
    if alternatives == [()]:
        return "yes"
    return " or ".join(" and ".join(f"`{flag}`" for flag in some) for some in alternatives)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


_INTRODUCTION = """# Permissions

Made from `shared/access/permissions.py` and the declared routes by `greenroom openapi`: do not edit. Every
check of the API, every join token and the reconciler use that one function.

Roles: the host of the room; co-hosts and moderators by assignment; guests on stage by their place there;
everybody else is audience. An API key of the organization acts as the host. Banned people may do nothing.

A cell names the preset flags that must be on. `chat_enabled` and `stage_enabled` are the effective values:
the session's runtime override if there is one, else the preset's. `can_publish_audio` and `can_publish_video`
are set for each guest on stage. Nobody publishes data; everybody may subscribe. By WHIP an encoder publishes
what its owner may: its picture is a camera's, its sound a microphone's. `recording_enabled` says whether
going live starts a recording. `max_join_limit` is the number of guests on stage at once.


"""
