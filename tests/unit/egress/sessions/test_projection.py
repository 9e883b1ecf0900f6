"""What is known of sessions: the newest state that events told, in whatever order and however often."""

import asyncio
from typing import Any

import pytest

from services.egress.sessions.repository import SessionRepository
from shared.persistence.mongo import Document
from shared.testing.fake_clock import FakeClock
from shared.testing.memory_mongo import memory_mongo
from tests.unit.egress.reconciler.builders import T0, state


async def version(sessions: SessionRepository, session_id: str) -> tuple[int, bool] | None:
    known = await sessions.find(session_id)
    return None if known is None else (known.state.version, known.deleted)


async def test_what_is_known_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = SessionRepository(memory_mongo(), FakeClock(T0))
    written: list[Document] = []
    update = sessions.collection.update

    async def noted(query: Document, change: Document, **options: Any) -> int:
        written.append(query)
        return await update(query, change, **options)

    monkeypatch.setattr(sessions.collection, "update", noted)
    older = state()
    newer = older.model_copy(update={"version": older.version + 1})
    await asyncio.gather(*(sessions.save(older) for _ in range(3)))
    for told in (older, newer, older, newer):
        await sessions.save(told)
    assert len(written) == 2
    assert await version(sessions, older.id) == (newer.version, False)
    # A deletion is of the version that was before, and holds.
    for _ in range(2):
        await sessions.save(newer, deleted=True)
    await sessions.save(newer.model_copy(update={"version": newer.version + 1}))
    assert len(written) == 3
    assert await version(sessions, older.id) == (newer.version, True)
