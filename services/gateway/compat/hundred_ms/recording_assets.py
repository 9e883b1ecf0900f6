"""Files of recordings. A recording has one, whose id is its own."""

import asyncio
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from services.gateway.compat.calls import NativeError
from services.gateway.compat.hundred_ms.beam_translation import recording_asset, recording_runs
from services.gateway.compat.hundred_ms.paging import BeamListQuery, respond_with_page
from services.gateway.compat.hundred_ms.schemas import PresignedUrl, RecordingAsset
from services.gateway.compat.hundred_ms.validation import read_query
from services.gateway.compat.operations import ForeignOperations, ForeignRequest
from services.gateway.compat.own import own_recording
from services.gateway.compat.rendering import respond
from shared.errors import NotFound
from shared.http import READ, Query

operations: Final = ForeignOperations("/v2")

_LONGEST_LINK: Final = 7 * 24 * 3600
_OVER: Final = ("completed", "failed")


class PresignQuery(Query):
    """`presign_duration`: the seconds for which the link is valid."""

    presign_duration: Annotated[int, Field(ge=1, le=_LONGEST_LINK)] = 3600


@operations.get("/recording-assets", scope=READ)
async def list_assets(request: ForeignRequest) -> web.Response:
    query = read_query(request, BeamListQuery)
    statuses = [one for one in _OVER if query.status in {None, one}]
    if query.matches_nothing or not statuses:
        return respond_with_page([], None, query.limit)
    found = await request.native.get("egress", "/recordings/my", query.native | {"status": statuses})
    assets = [recording_asset(one).model_dump() for one in found["recordings"]]
    return respond_with_page(assets, found["next_cursor"], query.limit)


@operations.get("/recording-assets/{asset_id}", scope=READ)
async def get_asset(request: ForeignRequest) -> web.Response:
    return respond((await _asset(request)).model_dump())


@operations.get("/recording-assets/{asset_id}/presigned-url", scope=READ)
async def presign_asset(request: ForeignRequest) -> web.Response:
    seconds = read_query(request, PresignQuery).presign_duration
    asset, url = await asyncio.gather(_asset(request), _url(request, seconds))
    return respond(PresignedUrl(id=asset.id, path=asset.path, url=url, expiry=seconds).model_dump())


async def _asset(request: ForeignRequest) -> RecordingAsset:
    """Raises `NotFound`, also while the recording runs."""
    found = await own_recording(request, request.parameters["asset_id"])
    if recording_runs(found):
        raise _no_asset()
    return recording_asset(found)


async def _url(request: ForeignRequest, seconds: int) -> str:
    path = f"/recordings/{request.parameters['asset_id']}/download"
    try:
        link = await request.native.get("egress", path, {"seconds": seconds})
    except NativeError as error:
        if error.status == 409:
            raise _no_asset() from error
        raise
    return str(link["download_url"])


def _no_asset() -> NotFound:
    return NotFound.of("recording_asset")
