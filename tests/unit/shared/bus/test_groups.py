"""Names of queues, and descriptions of errors."""

import pytest
from pydantic import BaseModel, ValidationError

from shared.bus import Group, OrderedGroup, RetryPolicy
from shared.bus.ports import belongs, retry_queues, working_queues
from shared.contracts.livekit_events import LiveKitRoomFinished, LiveKitRoomStarted
from shared.errors import Unavailable
from shared.runtime.log import describe, trace
from tests.contract.bus.events import Seen


def test_a_policy_without_a_delay_is_refused() -> None:
    with pytest.raises(ValueError, match="delay"):
        RetryPolicy(delays=())


def test_a_group_binds_all_partitions_of_its_events_and_an_ordered_one_each_to_its_queue() -> None:
    seen = Seen()
    loose = Group("a.group", {LiveKitRoomStarted: seen.one, LiveKitRoomFinished: seen.one})
    assert working_queues(loose) == {"a.group": ["livekit_room.started.v1.*", "livekit_room.finished.v1.*"]}
    assert retry_queues(loose, RetryPolicy().delays) == {
        "a.group.retry.1s": 1.0,
        "a.group.retry.5s": 5.0,
        "a.group.retry.30s": 30.0,
    }
    ordered = OrderedGroup("an.order", (LiveKitRoomStarted,), seen.batch)
    queues = working_queues(ordered)
    assert len(queues) == 16
    assert queues["an.order.07"] == ["livekit_room.started.v1.07"]
    assert retry_queues(ordered, RetryPolicy().delays) == {}


@pytest.mark.parametrize(
    ("queue", "whether"), [("g", True), ("g.00", True), ("g.15", True), ("g.16", False), ("other", False)]
)
def test_a_replay_reaches_only_the_groups_own_queues(queue: str, whether: bool) -> None:
    assert belongs(queue, "g") is whether


class Model(BaseModel):
    secret: int


def test_errors_are_described_without_values_and_credentials() -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"secret": "hunter2"})
    assert describe(caught.value) == "ValidationError: secret: int_parsing"
    assert (
        describe(OSError("mongodb://user:hunter2@host/db\nis away"))
        == "OSError: mongodb://***@host/db is away"
    )
    assert describe(Unavailable("the database is away")) == "Unavailable: the database is away"
    assert len(describe(ValueError("x" * 1000))) == 300


def test_a_trace_says_where_and_not_what() -> None:
    with pytest.raises(ValueError, match="hunter2") as caught:
        int("hunter2")
    [frame] = trace(caught.value)
    assert "test_a_trace_says_where_and_not_what" in frame
    assert "hunter2" not in frame
