"""Administration of libraries."""

from typing import Final

from aiohttp import web

from services.session.catalog.libraries.schemas import (
    CreateLibraryRequest,
    LibraryListResponse,
    LibraryResponse,
    UpdateLibraryRequest,
)
from services.session.catalog.libraries.service import LibraryService
from services.session.identity.accounts.schemas import OrganizationQuery
from shared.http import ADMIN, READ, WRITE, Reply, Request, Routes, ok

routes = Routes("Administration")

LIBRARIES: Final = web.AppKey("libraries", LibraryService)


@routes.post("/admin/libraries", access=ADMIN, scope=WRITE, status=201, idempotent=True)
async def create_library(request: Request, body: CreateLibraryRequest) -> Reply[LibraryResponse]:
    """Create a library in an organization."""
    made = await request.service(LIBRARIES).create(request.reservation.id, body)
    return Reply(LibraryResponse.of(made))


@routes.get("/admin/libraries", access=ADMIN, scope=READ)
async def list_libraries(request: Request, query: OrganizationQuery) -> Reply[LibraryListResponse]:
    """List libraries, newest first."""
    found, total = await request.service(LIBRARIES).list(query.organization_id, query)
    responses = [LibraryResponse.of(library) for library in found]
    return Reply(LibraryListResponse(libraries=responses, total=total, page=query.page, limit=query.limit))


@routes.get("/admin/libraries/{id}", access=ADMIN, scope=READ)
async def get_library(request: Request) -> Reply[LibraryResponse]:
    """Get a library by ID."""
    return Reply(LibraryResponse.of(await request.service(LIBRARIES).get(request.path_id())))


@routes.patch("/admin/libraries/{id}", access=ADMIN, scope=WRITE)
async def update_library(request: Request, body: UpdateLibraryRequest) -> Reply[LibraryResponse]:
    """Update a library: its name, visibility and who may join its sessions."""
    return Reply(LibraryResponse.of(await request.service(LIBRARIES).update(request.path_id(), body)))


@routes.delete("/admin/libraries/{id}", access=ADMIN, scope=WRITE)
async def delete_library(request: Request) -> Reply[None]:
    """Delete an empty library."""
    await request.service(LIBRARIES).delete(request.path_id())
    return ok()
