"""Where clients reach LiveKit stands beside every token for it."""

from typing import Any

from deploy.local.stack import Stack
from tests.contract.api.fixtures import Fixtures


async def test_each_answer_with_a_join_token_says_where_it_is_for(fixtures: Fixtures, stack: Stack) -> None:
    session = await fixtures.session()
    answers = [
        (await fixtures.do("start", session)).data,
        (await fixtures.do("go_live", session)).data,
        (await fixtures.do("join", session, fixtures.viewer)).data,
        await fixtures.get(f"/sessions/{session}/monitor", fixtures.host),
        await fixtures.get(f"/sessions/{session}/stage/token", fixtures.host),
        await _issued(fixtures, f"/sessions/{session}/tokens"),
    ]
    await fixtures.do("end", session)
    assert [one["livekit_url"] for one in answers] == [stack.livekit_url] * len(answers)


async def test_the_tokens_of_a_room_and_of_its_codes_say_it_too(fixtures: Fixtures, stack: Stack) -> None:
    room = await fixtures.room(auto_session=True)
    made = await fixtures.client.call("POST", f"/rooms/{room}/codes", fixtures.host.access_token, {})
    code = made.data["codes"][0]["code"]
    exchanged = await fixtures.client.call("POST", f"/room_codes/{code}/exchange", None, {})
    answers = [await _issued(fixtures, f"/rooms/{room}/tokens"), exchanged.data]
    assert [one["livekit_url"] for one in answers] == [stack.livekit_url] * len(answers)


async def _issued(fixtures: Fixtures, path: str) -> Any:
    headers = {"X-API-Key": await fixtures.admin.api_key(fixtures.host)}
    body = {"external_user_id": "c-1", "name": "Carla"}
    return (await fixtures.client.call("POST", path, body=body, headers=headers)).data
