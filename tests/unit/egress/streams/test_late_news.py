"""Bad news that comes late, and presumptions of our own, never overrule what has really happened."""

from typing import Any

import pytest

from shared.contracts.livekit_events import EgressUpdated
from shared.contracts.states import RecordingStatus
from shared.egress.engine import EgressInfo, EgressOrder, EgressStatus
from shared.errors import BadGateway, Unavailable
from tests.unit.egress.streams.fixture import Replica

LATE = [Unavailable("no egress worker seems to run"), BadGateway("no such layout")]


@pytest.fixture
async def replica() -> Replica:
    replica = Replica(keeps_records=False)
    await replica.ensure_indexes()
    return replica


def told(replica: Replica, seen: EgressInfo) -> EgressUpdated:
    fields: dict[str, Any] = {
        name: getattr(seen, name) for name in ("session_id", "egress_id", "started_at", "error")
    }
    return EgressUpdated(
        **fields, egress_key=seen.key, status=seen.status.value, occurred_at=replica.clock.now()
    )


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("status", [EgressStatus.STARTING, EgressStatus.ACTIVE])
async def test_a_start_that_was_reported_has_happened_whatever_its_call_answers(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, late: Exception, status: EgressStatus
) -> None:
    async def start(order: EgressOrder) -> str:
        """The webhook overtakes the answer, which is an error."""
        egress_id = replica.engine.begin(order)
        await replica.parts.egresses.follow(told(replica, replica.engine.be(egress_id, status)))
        raise late

    monkeypatch.setattr(replica.engine, "start", start)
    session = await replica.go_live()
    await replica.work(3)
    [egress] = await replica.planned(session)
    assert (egress.egress_id, egress.status, egress.error, egress.asked_at) == ("EG_0000", status, None, None)
    assert (await replica.stream(session)).error is None
    assert len(replica.engine.begun) == 1


async def test_one_that_was_reported_ended_before_its_call_answered_is_replaced_and_not_started_again(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(order: EgressOrder) -> str:
        egress_id = replica.engine.begin(order)
        seen = replica.engine.be(egress_id, EgressStatus.FAILED, "Chrome crashed")
        await replica.parts.egresses.follow(told(replica, seen))
        raise LATE[0]

    monkeypatch.setattr(replica.engine, "start", start)
    session = await replica.go_live()
    await replica.work(60)
    keys = [order.key for order in replica.engine.begun]
    parts = [one.key for one in (await replica.stream(session)).parts]
    assert keys == parts[: len(keys)]
    assert len(keys) > 1


async def test_a_list_that_is_older_than_the_webhook_changes_nothing(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    await replica.active()
    seen = replica.engine.egresses["EG_0000"]
    await replica.end(session)
    await replica.work(1)
    ending = told(replica, replica.engine.be("EG_0000", EgressStatus.ENDING))
    await replica.parts.egresses.follow(ending)
    replica.engine.egresses["EG_0000"] = seen
    await replica.work(20)
    [egress] = await replica.planned(session)
    assert egress.status is EgressStatus.ENDING


async def test_what_was_presumed_is_corrected_by_the_end_however_late(replica: Replica) -> None:
    session = await replica.go_live(record=True)
    await replica.work()
    await replica.active()
    await replica.end(session)
    replica.engine.dead.add("EG_0000")
    await replica.work(100)
    [recording] = await replica.recordings.list_where({"session_id": session.id})
    assert recording.status is RecordingStatus.FAILED
    await replica.complete("EG_0000", duration=11.8)
    [recording] = await replica.recordings.list_where({"session_id": session.id})
    assert (recording.status, recording.duration, recording.error) == (RecordingStatus.COMPLETED, 12, None)
