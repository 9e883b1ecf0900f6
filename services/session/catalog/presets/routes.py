"""The Presets group."""

from typing import Final

from aiohttp import web

from services.session.catalog.presets.schemas import (
    CreatePresetRequest,
    PresetListResponse,
    PresetResponse,
    UpdatePresetRequest,
    preset_response,
)
from services.session.catalog.presets.service import PresetService
from shared.http import HOST, READ, WRITE, Reply, Request, Routes, ok
from shared.http.schema import Page

routes = Routes("Presets")

PRESETS: Final = web.AppKey("presets", PresetService)


@routes.post("/presets", access=HOST, scope=WRITE, status=201, mirrored=True, idempotent=True)
async def create_preset(request: Request, body: CreatePresetRequest) -> Reply[PresetResponse]:
    """Create a new preset."""
    service = request.service(PRESETS)
    preset = await service.create(request.reservation.id, request.caller, request.library_id, body)
    return Reply(preset_response(preset))


@routes.get("/presets", access=HOST, scope=READ, mirrored=True)
async def list_presets(request: Request, query: Page) -> Reply[PresetListResponse]:
    """List my presets."""
    presets, total = await request.service(PRESETS).list_mine(request.caller, request.library_id, query)
    responses = [preset_response(preset) for preset in presets]
    return Reply(PresetListResponse(presets=responses, total=total, page=query.page, limit=query.limit))


@routes.get("/presets/{id}", access=HOST, scope=READ, mirrored=True)
async def get_preset(request: Request) -> Reply[PresetResponse]:
    """Get preset by ID."""
    preset = await request.service(PRESETS).get_for_host(
        request.path_id(), request.caller, request.library_id
    )
    return Reply(preset_response(preset))


@routes.patch("/presets/{id}", access=HOST, scope=WRITE, mirrored=True)
async def update_preset(request: Request, body: UpdatePresetRequest) -> Reply[PresetResponse]:
    """Update a preset.

    Scheduled sessions created with it follow; live ones keep the values they started with.
    """
    service = request.service(PRESETS)
    preset = await service.update(request.path_id(), request.caller, request.library_id, body)
    return Reply(preset_response(preset))


@routes.delete("/presets/{id}", access=HOST, scope=WRITE, mirrored=True)
async def delete_preset(request: Request) -> Reply[None]:
    """Delete a preset.

    Refused with 409 while a scheduled or live session uses it.
    """
    await request.service(PRESETS).delete(request.path_id(), request.caller, request.library_id)
    return ok()


@routes.post("/presets/{id}/set_default", access=HOST, scope=WRITE, mirrored=True)
async def set_default_preset(request: Request) -> Reply[PresetResponse]:
    """Set preset as default."""
    service = request.service(PRESETS)
    return Reply(
        preset_response(await service.set_default(request.path_id(), request.caller, request.library_id))
    )
