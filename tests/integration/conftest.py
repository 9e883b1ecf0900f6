"""Fixtures for tests of the stack's own recorder: its jobs, a session, a publisher on stage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.publishers.publisher import Publisher, on_stage
from tests.publishers.recorder_jobs import RecorderJobs, recorder_jobs_of
from tests.publishers.session import LiveSession, a_session
from tests.running_stack import RunningStack


@pytest.fixture
async def recorder_jobs(running_stack: RunningStack) -> AsyncIterator[RecorderJobs]:
    async with recorder_jobs_of(running_stack) as made:
        yield made


@pytest.fixture
async def place(running_stack: RunningStack) -> AsyncIterator[LiveSession]:
    async with a_session(running_stack.info) as made:
        yield made


@pytest.fixture
def room(place: LiveSession) -> str:
    return place.session_id


@pytest.fixture
async def anna(running_stack: RunningStack, place: LiveSession) -> AsyncIterator[Publisher]:
    """On stage with picture and sound."""
    async with on_stage(running_stack, place, "Anna Lund") as publisher:
        await publisher.show()
        await publisher.speak()
        yield publisher
