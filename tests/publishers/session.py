"""A live session of the stack's host: rooms that are no session's are closed by the reconciler."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import jwt

from deploy.local.stack import Stack
from tests.bench.api import connect


@dataclass(frozen=True)
class LiveSession:
    """A session and its host, as whom everybody on stage joins: each with a sign-in of their own."""

    session_id: str
    host_id: str


@asynccontextmanager
async def a_session(stack: Stack) -> AsyncIterator[LiveSession]:
    """Live while this lasts; nothing is streamed or recorded of itself."""
    async with connect(stack) as api:
        session_id = await api.session(await api.room(), await api.preset())
        await api.call("POST", f"/sessions/{session_id}/start")
        host = jwt.decode(api.token, options={"verify_signature": False})["sub"]
        try:
            yield LiveSession(session_id, host)
        finally:
            await api.call("POST", f"/sessions/{session_id}/end")
