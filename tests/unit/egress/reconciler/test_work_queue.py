"""What fails or happens at the wrong moment takes no round and no hint with it."""

from collections.abc import Mapping
from datetime import datetime

import pytest

from services.egress.reconciler.work_queue import RoomHintStore, RoomQueue
from shared.errors import Unavailable
from shared.ids import new_id
from shared.persistence.lease import Lease, LeaseStore
from tests.unit.egress.reconciler.builders import state
from tests.unit.egress.reconciler.fixture import Replica

ROOM, OTHER = new_id(), new_id()


def _handing_over(replica: Replica) -> tuple[RoomQueue, RoomHintStore]:
    """The queue of a replica that has no lease, and where it leaves its hints."""
    store = RoomHintStore(replica.mongo)
    idle = Lease(LeaseStore(replica.mongo), "another", "another", lambda: 0.0)
    return RoomQueue(idle, store, replica.clock), store


@pytest.mark.parametrize(
    ("noticed", "later"), [(ROOM, {ROOM: True}), (OTHER, {OTHER: True})], ids=["same room", "another"]
)
async def test_what_is_noticed_during_the_handing_over_is_handed_over_next(
    monkeypatch: pytest.MonkeyPatch, noticed: str, later: dict[str, bool]
) -> None:
    queue, store = _handing_over(Replica())
    add = store.add

    async def slow(rooms: Mapping[str, bool], now: datetime) -> None:
        await add(rooms, now)
        monkeypatch.setattr(store, "add", add)
        queue.add(noticed, suspect=True)

    monkeypatch.setattr(store, "add", slow)
    queue.add(ROOM)
    assert await queue.take() == ([], [])
    assert await store.take() == {ROOM: False}
    await queue.take()
    assert await store.take() == later


async def test_what_could_not_be_handed_over_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, store = _handing_over(Replica())

    async def fail(rooms: Mapping[str, bool], now: datetime) -> None:
        raise Unavailable("The database is away")

    queue.add(ROOM, suspect=True)
    with monkeypatch.context() as failing:
        failing.setattr(store, "add", fail)
        with pytest.raises(Unavailable):
            await queue.take()
    await queue.take()
    assert await store.take() == {ROOM: True}


async def test_a_round_that_fails_half_way_is_repeated_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    replica = Replica()
    session = state()
    await replica.go_live(session)
    await replica.parts.lease.run_once()

    async def fail(_: object) -> dict[str, bool]:
        raise Unavailable("The database is away")

    with monkeypatch.context() as failing:
        failing.setattr(RoomHintStore, "take", fail)
        with pytest.raises(Unavailable):
            await replica.parts.reconciler.run_once()
    replica.livekit.calls.clear()
    await replica.work(2)
    assert "list_rooms" in replica.livekit.calls
