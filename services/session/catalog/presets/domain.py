"""A preset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.event import Event
from shared.contracts.people_and_catalog_events import PresetCreated, PresetDeleted, PresetUpdated
from shared.contracts.states import PresetSettings, PresetState


@dataclass(kw_only=True)
class Preset:
    """What a session copies when it is created. Which preset is a host's default is kept apart."""

    id: str
    version: int = 1
    organization_id: str
    library_id: str
    user_id: str
    settings: PresetSettings
    created_at: datetime
    updated_at: datetime

    @property
    def host_id(self) -> str:
        return self.user_id

    def created(self, *, is_default: bool) -> Sequence[Event]:
        return [PresetCreated(preset=self.state(is_default=is_default))]

    def edit(self, now: datetime, changes: Mapping[str, object], *, is_default: bool) -> Sequence[Event]:
        """Change the given settings."""
        self.settings = self.settings.model_copy(update=dict(changes))
        self.updated_at = now
        return [PresetUpdated(preset=self.state(is_default=is_default))]

    def delete(self) -> Sequence[Event]:
        return [PresetDeleted(preset=self.state(is_default=False))]

    def state(self, *, is_default: bool) -> PresetState:
        return PresetState(**vars(self), is_default=is_default)
