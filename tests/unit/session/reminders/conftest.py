"""Reminders for each case."""

import pytest

from tests.unit.session.backend import Backend
from tests.unit.session.reminders.fixtures import Reminders


@pytest.fixture
async def reminders(backend: Backend) -> Reminders:
    made = Reminders(backend)
    await made.open()
    return made
