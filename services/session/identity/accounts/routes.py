"""Administration of people."""

from typing import Final

from aiohttp import web

from services.session.identity.accounts.fair_queue import Asker
from services.session.identity.accounts.schemas import (
    AdminUserListResponse,
    AdminUserResponse,
    CreateUserRequest,
    OrganizationQuery,
    UpdateUserRequest,
)
from services.session.identity.accounts.service import AccountService
from shared.http import ADMIN, READ, WRITE, Reply, Request, Routes, ok

routes = Routes("Administration")

ACCOUNTS: Final = web.AppKey("accounts", AccountService)


@routes.post("/admin/users", access=ADMIN, scope=WRITE, status=201, idempotent=True)
async def create_user(request: Request, body: CreateUserRequest) -> Reply[AdminUserResponse]:
    """Create a host, viewer or administrator."""
    user = await request.service(ACCOUNTS).create(request.reservation.id, body, _asker(request))
    return Reply(AdminUserResponse.of(user))


@routes.get("/admin/users", access=ADMIN, scope=READ)
async def list_users(request: Request, query: OrganizationQuery) -> Reply[AdminUserListResponse]:
    """List users, newest first."""
    users, total = await request.service(ACCOUNTS).list(query.organization_id, query)
    responses = [AdminUserResponse.of(user) for user in users]
    return Reply(AdminUserListResponse(users=responses, total=total, page=query.page, limit=query.limit))


@routes.get("/admin/users/{id}", access=ADMIN, scope=READ)
async def get_user(request: Request) -> Reply[AdminUserResponse]:
    """Get a user by ID."""
    return Reply(AdminUserResponse.of(await request.service(ACCOUNTS).get(request.path_id())))


@routes.patch("/admin/users/{id}", access=ADMIN, scope=WRITE)
async def update_user(request: Request, body: UpdateUserRequest) -> Reply[AdminUserResponse]:
    """Update a user; a new password or a deactivation ends their sign-ins."""
    user = await request.service(ACCOUNTS).update(request.path_id(), body, _asker(request))
    return Reply(AdminUserResponse.of(user))


@routes.delete("/admin/users/{id}", access=ADMIN, scope=WRITE)
async def delete_user(request: Request) -> Reply[None]:
    """Delete a user; what they created stays with the organization."""
    await request.service(ACCOUNTS).delete(request.path_id())
    return ok()


def _asker(request: Request) -> Asker:
    return Asker(request.caller.user_id, request.is_awaited)
