"""Administration of organizations."""

from datetime import datetime
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from services.session.identity.organizations.service import OrganizationService
from shared.http import ADMIN, READ, WRITE, Body, Data, Reply, Request, Routes, ok
from shared.http.schema import Line, Page

Name = Annotated[Line, Field(min_length=1, max_length=255)]


class OrganizationRequest(Body):
    name: Name


class UpdateOrganizationRequest(Body):
    name: Name | None = None


class OrganizationResponse(Data):
    id: str
    name: str
    default_library_id: str
    created_at: datetime
    updated_at: datetime


class OrganizationListResponse(Data):
    organizations: list[OrganizationResponse]
    total: int
    page: int
    limit: int


routes = Routes("Administration")

ORGANIZATIONS: Final = web.AppKey("organizations", OrganizationService)


@routes.post("/admin/organizations", access=ADMIN, scope=WRITE, status=201, idempotent=True)
async def create_organization(request: Request, body: OrganizationRequest) -> Reply[OrganizationResponse]:
    """Create an organization with its default library."""
    made = await request.service(ORGANIZATIONS).create(request.reservation.id, body.name)
    return Reply(OrganizationResponse.of(made))


@routes.get("/admin/organizations", access=ADMIN, scope=READ)
async def list_organizations(request: Request, query: Page) -> Reply[OrganizationListResponse]:
    """List organizations, newest first."""
    found, total = await request.service(ORGANIZATIONS).list(query)
    responses = [OrganizationResponse.of(organization) for organization in found]
    return Reply(
        OrganizationListResponse(organizations=responses, total=total, page=query.page, limit=query.limit)
    )


@routes.get("/admin/organizations/{id}", access=ADMIN, scope=READ)
async def get_organization(request: Request) -> Reply[OrganizationResponse]:
    """Get an organization by ID."""
    return Reply(OrganizationResponse.of(await request.service(ORGANIZATIONS).get(request.path_id())))


@routes.patch("/admin/organizations/{id}", access=ADMIN, scope=WRITE)
async def update_organization(
    request: Request, body: UpdateOrganizationRequest
) -> Reply[OrganizationResponse]:
    """Rename an organization."""
    changed = await request.service(ORGANIZATIONS).rename(request.path_id(), body.name)
    return Reply(OrganizationResponse.of(changed))


@routes.delete("/admin/organizations/{id}", access=ADMIN, scope=WRITE)
async def delete_organization(request: Request) -> Reply[None]:
    """Delete an organization without members."""
    await request.service(ORGANIZATIONS).delete(request.path_id())
    return ok()
