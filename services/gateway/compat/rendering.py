"""Answers without an envelope."""

from typing import Any

import orjson
from aiohttp import web


def respond(body: Any) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json")


def no_content() -> web.Response:
    return web.Response(status=204)
