"""An office for each case."""

import pytest

from tests.unit.session.house import House
from tests.unit.session.reminders.office import Office


@pytest.fixture
async def office(house: House) -> Office:
    made = Office(house)
    await made.open()
    return made
