"""What hosts do with presets."""

from typing import Protocol

from services.session.access.ownership import Hosted, get_for_host
from services.session.catalog.libraries.service import LibraryService
from services.session.catalog.presets.domain import Preset
from services.session.catalog.presets.meeting import meeting_preset
from services.session.catalog.presets.repository import PresetRepository
from services.session.catalog.presets.schemas import CreatePresetRequest, UpdatePresetRequest
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.states import PresetState
from shared.errors import Conflict, FieldError
from shared.http.schema import Page
from shared.persistence.mongo import Duplicate


def unknown_preset() -> FieldError:
    """What is wrong with a body that names a preset which its caller may not use."""
    return FieldError("preset_id", "unknown", "There is no such preset of yours")


class PresetSessions(Protocol):
    async def any_open_with_preset(self, preset_id: str) -> bool:
        """Whether a scheduled or live session uses the preset."""
        ...


class PresetService:
    def __init__(
        self,
        presets: PresetRepository,
        sessions: PresetSessions,
        libraries: LibraryService,
        clock: Clock,
    ):
        self._presets = presets
        self._sessions = sessions
        self._libraries = libraries
        self._clock = clock

    async def create(
        self, id: str, caller: Caller, library_id: str | None, body: CreatePresetRequest
    ) -> PresetState:
        """Create a preset of the caller's under the reserved `id`."""
        library = await self._libraries.for_hosting(library_id, caller)
        now = self._clock.now()
        preset = Preset(
            id=id,
            organization_id=library.organization_id,
            library_id=library.id,
            user_id=caller.user_id,
            settings=body.settings(),
            created_at=now,
            updated_at=now,
        )
        try:
            await self._presets.add(preset, preset.created(is_default=bool(body.is_default)))
        except Duplicate:
            preset = await self._presets.get(id)
        if body.is_default:
            await self._presets.set_default(preset)
        return await self._state(preset)

    async def list_mine(
        self, caller: Caller, library_id: str | None, page: Page
    ) -> tuple[list[PresetState], int]:
        caller.hosting_organization()
        await self._libraries.check_own(library_id, caller)
        presets, total = await self._presets.list_of_user(caller.user_id, library_id, page.skip, page.limit)
        defaults = await self._presets.defaults_among(presets)
        return [preset.state(is_default=preset.id in defaults) for preset in presets], total

    async def get_for_host(self, id: str, caller: Caller, library_id: str | None) -> PresetState:
        """The preset, if it is the caller's; raises `NotFound`, `Forbidden`."""
        return await self._state(await self._mine(id, caller, library_id))

    async def for_automatic(self, room: Hosted, preset_id: str | None) -> PresetState:
        """The preset of a room's automatic sessions: the given one, the host's default, or a meeting."""
        preset = await self._presets.find(preset_id) if preset_id else None
        preset = preset or await self._presets.find_default(room.host_id, room.library_id)
        return await self._state(preset) if preset else meeting_preset(room)

    async def update(
        self, id: str, caller: Caller, library_id: str | None, body: UpdatePresetRequest
    ) -> PresetState:
        """Change a preset; scheduled sessions that copied it follow by event."""
        preset = await self._mine(id, caller, library_id)
        if body.is_default is not None:
            await self._set_default(preset, body.is_default)
        is_default = (await self._state(preset)).is_default
        preset = await self._presets.change(
            id, lambda preset: preset.edit(self._clock.now(), body.changes(), is_default=is_default)
        )
        return preset.state(is_default=is_default)

    async def set_default(self, id: str, caller: Caller, library_id: str | None) -> PresetState:
        preset = await self._mine(id, caller, library_id)
        await self._set_default(preset, True)
        return preset.state(is_default=True)

    async def delete(self, id: str, caller: Caller, library_id: str | None) -> None:
        """Delete a preset; refused while a scheduled or live session uses it."""
        preset = await self._mine(id, caller, library_id)
        if await self._sessions.any_open_with_preset(id):
            raise Conflict("A scheduled or live session uses this preset", code="preset_in_use")
        await self._presets.unset_default(preset)
        await self._presets.remove(id, Preset.delete)

    async def _mine(self, id: str, caller: Caller, library_id: str | None) -> Preset:
        return await get_for_host(self._presets, id, caller, library_id)

    async def _set_default(self, preset: Preset, wanted: bool) -> None:
        if wanted:
            await self._presets.set_default(preset)
        else:
            await self._presets.unset_default(preset)

    async def _state(self, preset: Preset) -> PresetState:
        defaults = await self._presets.defaults_among([preset])
        return preset.state(is_default=preset.id in defaults)
