"""What administrators do with libraries, and which library a call works in."""

from typing import Protocol

from services.session.catalog.libraries.repository import Library, LibraryRepository
from services.session.catalog.libraries.schemas import CreateLibraryRequest, UpdateLibraryRequest
from services.session.identity.organizations.repository import OrganizationRepository, of_organization
from shared.access.identity import Caller
from shared.clock import Clock
from shared.errors import Conflict, FieldError, InvalidRequest, NotFound
from shared.http.schema import Page
from shared.persistence.mongo import Duplicate


class LibraryRooms(Protocol):
    async def any_in_library(self, library_id: str) -> bool: ...


class LibraryService:
    def __init__(
        self,
        libraries: LibraryRepository,
        organizations: OrganizationRepository,
        rooms: LibraryRooms,
        clock: Clock,
    ):
        self._libraries = libraries
        self._organizations = organizations
        self._rooms = rooms
        self._clock = clock

    async def check_readable(self, library_id: str | None, viewer: Caller | None) -> None:
        """Raises `NotFound` if there is no such library, or an unlisted one of another organization."""
        if library_id is not None:
            await self._readable(library_id, viewer)

    async def check_own(self, library_id: str | None, caller: Caller) -> None:
        """As `check_readable`, for the caller's own things: also for another organization's public one."""
        if library_id is not None:
            library = await self._readable(library_id, caller)
            if caller.organization_id not in {None, library.organization_id}:
                raise NotFound.of("library")

    async def _readable(self, library_id: str, viewer: Caller | None) -> Library:
        library = await self._libraries.get(library_id)
        own = viewer is not None and viewer.organization_id == library.organization_id
        if not library.listed and not own:
            raise NotFound.of("library")
        return library

    async def for_hosting(self, library_id: str | None, caller: Caller) -> Library:
        """The library the caller makes things in: the one of the call, else the organization's default.

        Raises `Forbidden` for viewers, `NotFound` for another organization's library.
        """
        organization_id = caller.hosting_organization()
        if library_id is None:
            organization = await self._organizations.get(organization_id)
            library_id = organization.default_library_id
        library = await self._libraries.get(library_id)
        if library.organization_id != organization_id:
            raise NotFound.of("library")
        return library

    async def create(self, id: str, body: CreateLibraryRequest) -> Library:
        if await self._organizations.find(body.organization_id) is None:
            raise InvalidRequest([FieldError("organization_id", "unknown", "There is no such organization")])
        now = self._clock.now()
        library = Library(
            id=id,
            organization_id=body.organization_id,
            name=body.name,
            visibility=body.visibility,
            registered_only=body.registered_only,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._libraries.add(library, library.created())
        except Duplicate:
            return await self._libraries.get(id)
        return library

    async def get(self, id: str) -> Library:
        return await self._libraries.get(id)

    async def list(self, organization_id: str | None, page: Page) -> tuple[list[Library], int]:
        return await self._libraries.page(of_organization(organization_id), skip=page.skip, limit=page.limit)

    async def update(self, id: str, body: UpdateLibraryRequest) -> Library:
        """Change the given fields; its rooms and sessions follow by event."""
        changes = body.model_dump(include=body.model_fields_set)
        return await self._libraries.change(id, lambda library: library.edit(self._clock.now(), **changes))

    async def delete(self, id: str) -> None:
        """Delete an empty library that is not its organization's default."""
        library = await self._libraries.get(id)
        if library.is_default:
            raise Conflict("An organization keeps its default library", code="default_library")
        if await self._rooms.any_in_library(id):
            raise Conflict("The library still has rooms", code="library_in_use")
        await self._libraries.discard(id)
