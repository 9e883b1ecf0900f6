"""Whether the worker of an egress is there, as the LiveKit engine makes it out."""

import pytest

from services.egress.engines.livekit import LiveKitEngine
from shared.contracts.states import Role
from shared.egress.engine import EgressStatus
from shared.livekit import JoinGrant, LiveKitEgressClient, WorkerAnswer
from shared.livekit.sdk import SdkConnection
from tests.fakes.fake_livekit import FakeLiveKit

ROOM, EGRESS = "room", "EG_1"


class AnsweringClient(LiveKitEgressClient):
    """LiveKit's egress API with this answer about workers."""

    def __init__(self, answer: WorkerAnswer) -> None:
        super().__init__(SdkConnection("http://livekit.test", "key", "secret"))
        self.answer = answer
        self.asked: list[bool] = []

    async def worker_answers(self, egress_id: str, *, ending: bool) -> WorkerAnswer:
        self.asked.append(ending)
        return self.answer


async def present(livekit: FakeLiveKit) -> None:
    await livekit.create_room(ROOM, empty_timeout=60, departure_timeout=60)
    livekit.connect(JoinGrant(room=ROOM, identity=EGRESS, name="", role=Role.AUDIENCE, hidden=True))


@pytest.mark.parametrize(
    ("answer", "in_room", "alive"),
    [
        (WorkerAnswer.ANSWERS, False, True),
        # Its Chrome outlived it.
        (WorkerAnswer.SILENT, True, False),
        # LiveKit's Redis was emptied.
        (WorkerAnswer.UNLISTED, True, True),
        (WorkerAnswer.UNLISTED, False, False),
    ],
)
async def test_the_participant_counts_only_without_records(
    answer: WorkerAnswer, in_room: bool, alive: bool
) -> None:
    livekit = FakeLiveKit()
    if in_room:
        await present(livekit)
    client = AnsweringClient(answer)
    engine = LiveKitEngine(client, "file:///out", {}, list_participants=livekit.list_participants)
    assert await engine.answers(EGRESS, ROOM, EgressStatus.ACTIVE) is alive
    assert await engine.answers(EGRESS, ROOM, EgressStatus.ENDING) is alive
    assert client.asked == [False, True]
    counted = answer is not WorkerAnswer.UNLISTED and alive
    assert await engine.answers(EGRESS, ROOM, EgressStatus.ACTIVE, by_presence=False) is counted
