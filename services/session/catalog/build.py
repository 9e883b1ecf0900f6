"""The catalog, built: organizations with their libraries, rooms and presets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.session.catalog.libraries.repository import LibraryRepository
from services.session.catalog.libraries.service import LibraryService
from services.session.catalog.presets.repository import PresetRepository
from services.session.catalog.presets.service import PresetService, PresetSessions
from services.session.catalog.rooms.presenter import RoomPresenter, RoomSessions
from services.session.catalog.rooms.repository import RoomRepository
from services.session.catalog.rooms.service import RoomService
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.organizations.repository import OrganizationRepository
from services.session.identity.organizations.service import OrganizationService
from shared.clock import Clock
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox


class CatalogSessions(RoomSessions, PresetSessions, Protocol):
    """What the catalog needs to know of the sessions that use it."""


class CatalogStores:
    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock):
        self.libraries = LibraryRepository(mongo, outbox, clock)
        self.rooms = RoomRepository(mongo, outbox, clock)
        self.presets = PresetRepository(mongo, outbox, clock)

    @property
    def all(self) -> Sequence[Indexed]:
        return [self.libraries, self.rooms, self.presets]


@dataclass(frozen=True)
class Catalog:
    stores: CatalogStores
    organizations: OrganizationService
    libraries: LibraryService
    rooms: RoomService
    room_presenter: RoomPresenter
    presets: PresetService


def build_catalog(
    stores: CatalogStores,
    organizations: OrganizationRepository,
    users: UserRepository,
    sessions: CatalogSessions,
    clock: Clock,
) -> Catalog:
    libraries = LibraryService(stores.libraries, organizations, stores.rooms, clock)
    room_presenter = RoomPresenter(users, sessions)
    presets = PresetService(stores.presets, sessions, libraries, clock)
    return Catalog(
        stores,
        OrganizationService(organizations, stores.libraries, users, clock),
        libraries,
        RoomService(stores.rooms, sessions, libraries, presets, room_presenter, clock),
        room_presenter,
        presets,
    )
