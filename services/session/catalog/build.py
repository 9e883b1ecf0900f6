"""The catalog, built: organizations with their libraries, rooms and presets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.session.catalog.codes.repository import RoomCodeRepository
from services.session.catalog.codes.service import RoomCodeService
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
        self.codes = RoomCodeRepository(mongo, outbox, clock)

    @property
    def all(self) -> Sequence[Indexed]:
        return [self.libraries, self.rooms, self.presets, self.codes]


@dataclass(frozen=True)
class Catalog:
    stores: CatalogStores
    organizations: OrganizationService
    libraries: LibraryService
    rooms: RoomService
    room_presenter: RoomPresenter
    presets: PresetService
    codes: RoomCodeService


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
    rooms = RoomService(stores.rooms, sessions, libraries, presets, room_presenter, clock)
    return Catalog(
        stores,
        OrganizationService(organizations, stores.libraries, users, clock),
        libraries,
        rooms,
        room_presenter,
        presets,
        RoomCodeService(stores.codes, rooms, clock),
    )
