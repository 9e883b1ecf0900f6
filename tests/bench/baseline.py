"""The baselines: bare processes with one aiohttp handler that does only the indispensable part.

python -m tests.bench.baseline PORT        (settings as JSON on standard input)
"""

import asyncio
import base64
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.runtime.settings import base64url

_START_SECONDS = 20.0


def application(settings: dict[str, Any]) -> web.Application:
    """/create: verify a JWT, insert_one; /join: verify, find_one, mint; /webhook: verify, insert_one;
    /read: verify, find_one; /same: the same bytes each time."""
    mongo = Mongo.from_uri(settings["mongodb_uri"])
    documents = mongo.collection(settings["collection"])
    key = Ed25519PublicKey.from_public_bytes(base64url(settings["public_key"]))
    secret = settings["livekit_api_secret"]

    def verify(request: web.Request) -> dict[str, Any]:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["EdDSA"], audience="greenroom-api")
        return claims

    async def create(request: web.Request) -> web.Response:
        verify(request)
        document = {**orjson.loads(await request.read()), "_id": new_id(), "created_at": datetime.now(UTC)}
        await documents.insert(document)
        return _json({"id": document["_id"]})

    async def join(request: web.Request) -> web.Response:
        claims = verify(request)
        session = await documents.find_one({"_id": request.match_info["id"]})
        grant = {"roomJoin": True, "room": session["_id"] if session else "", "canSubscribe": True}
        ends = datetime.now(UTC) + timedelta(minutes=10)
        token = jwt.encode({"sub": claims["sub"], "exp": ends, "video": grant}, secret, algorithm="HS256")
        return _json({"livekit_token": token, "room_name": grant["room"]})

    async def webhook(request: web.Request) -> web.Response:
        raw = await request.read()
        claims = jwt.decode(request.headers["Authorization"], secret, algorithms=["HS256"])
        if base64.b64decode(claims["sha256"]) != hashlib.sha256(raw).digest():
            raise web.HTTPUnauthorized
        body = orjson.loads(raw)
        await documents.insert({"_id": body["id"], "body": raw})
        return _json(None)

    async def read(request: web.Request) -> web.Response:
        verify(request)
        return _json(await documents.find_one({"_id": request.match_info["id"]}))

    bytes_ = str(settings.get("same", "")).encode()

    async def same(_: web.Request) -> web.Response:
        return web.Response(body=bytes_, content_type="application/json")

    app = web.Application()
    app.router.add_post("/create", create)
    app.router.add_post("/join/{id}", join)
    app.router.add_post("/webhook", webhook)
    app.router.add_get("/read/{id}", read)
    app.router.add_get("/same", same)
    return app


def _json(data: object) -> web.Response:
    body = orjson.dumps({"success": True, "data": data})
    return web.Response(body=body, content_type="application/json")


@asynccontextmanager
async def bare(settings: dict[str, Any], port: int) -> AsyncIterator[str]:
    """A bare process on `port` for the length of the block; gives its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.baseline", str(port)), stdin=asyncio.subprocess.PIPE
    )
    try:
        if process.stdin is not None:
            process.stdin.write(json.dumps(settings).encode())
            process.stdin.close()
            await process.stdin.wait_closed()
        await _listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


if __name__ == "__main__":
    web.run_app(
        application(json.load(sys.stdin)),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=lambda *_: None,
    )
