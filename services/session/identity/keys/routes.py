"""Administration of API keys, and the gateway's exchange of one for a token."""

from typing import Final

from aiohttp import web

from services.session.identity.accounts.schemas import OrganizationQuery
from services.session.identity.keys.schemas import (
    ApiKeyListResponse,
    ApiKeyResponse,
    ApiKeyWithSecretResponse,
    CreateApiKeyRequest,
    ExchangeApiKeyRequest,
    ExchangedResponse,
    ExchangeManagementTokenRequest,
    UpdateApiKeyRequest,
)
from services.session.identity.keys.service import ApiKeyService
from shared.http import ADMIN, INTERNAL, READ, WRITE, Reply, Request, Routes, ok

routes = Routes("Administration")

API_KEYS: Final = web.AppKey("api_keys", ApiKeyService)


@routes.post("/admin/api-keys", access=ADMIN, scope=WRITE, status=201, idempotent=True)
async def create_api_key(request: Request, body: CreateApiKeyRequest) -> Reply[ApiKeyWithSecretResponse]:
    """Create an API key for a host; the secret is shown once."""
    key, secret = await request.service(API_KEYS).create(request.reservation.id, body)
    return Reply(ApiKeyWithSecretResponse.of(key, secret=secret))


@routes.get("/admin/api-keys", access=ADMIN, scope=READ)
async def list_api_keys(request: Request, query: OrganizationQuery) -> Reply[ApiKeyListResponse]:
    """List API keys, newest first."""
    found, total = await request.service(API_KEYS).list(query.organization_id, query)
    responses = [ApiKeyResponse.of(key) for key in found]
    return Reply(ApiKeyListResponse(api_keys=responses, total=total, page=query.page, limit=query.limit))


@routes.get("/admin/api-keys/{id}", access=ADMIN, scope=READ)
async def get_api_key(request: Request) -> Reply[ApiKeyResponse]:
    """Get an API key by ID, without its secret."""
    return Reply(ApiKeyResponse.of(await request.service(API_KEYS).get(request.path_id())))


@routes.patch("/admin/api-keys/{id}", access=ADMIN, scope=WRITE)
async def update_api_key(request: Request, body: UpdateApiKeyRequest) -> Reply[ApiKeyResponse]:
    """Rename an API key or change its scopes.

    Without one of them, the tokens and encoders' keys that came from the key stop working within a second.
    """
    return Reply(ApiKeyResponse.of(await request.service(API_KEYS).update(request.path_id(), body)))


@routes.delete("/admin/api-keys/{id}", access=ADMIN, scope=WRITE)
async def delete_api_key(request: Request) -> Reply[None]:
    """Delete an API key; it and every token that came from it stop working within a second."""
    await request.service(API_KEYS).delete(request.path_id())
    return ok()


@routes.post("/internal/api-keys/exchange", access=INTERNAL)
async def exchange_api_key(request: Request, body: ExchangeApiKeyRequest) -> Reply[ExchangedResponse]:
    """A 60 s access token for an API key."""
    token, expires_at = await request.service(API_KEYS).exchange(body.id, body.secret)
    return Reply(ExchangedResponse(access_token=token, expires_at=expires_at))


@routes.post("/internal/management-tokens/exchange", access=INTERNAL)
async def exchange_management_token(
    request: Request, body: ExchangeManagementTokenRequest
) -> Reply[ExchangedResponse]:
    """A 60 s access token for a token that an API key's secret signed."""
    token, expires_at = await request.service(API_KEYS).exchange_management(body.token)
    return Reply(ExchangedResponse(access_token=token, expires_at=expires_at))
