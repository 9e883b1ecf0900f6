"""However many register from one device at once, so many get in, and a ban of one puts out them all."""

import asyncio
from collections import Counter

from services.session.identity.accounts.domain import REGISTRATIONS_AN_HOUR
from tests.contract.api.fixtures import Fixtures

MORE = 10


async def test_so_many_register_from_a_device_however_many_ask_at_once(fixtures: Fixtures) -> None:
    anna = await fixtures.viewer_of_its_own()
    answers = await asyncio.gather(
        *(
            fixtures.client.call(
                "POST",
                "/auth/viewer/register",
                body={"display_name": f"Vera {number}"},
                headers={"X-Device-Token": anna.device_token or ""},
            )
            for number in range(REGISTRATIONS_AN_HOUR + MORE)
        )
    )
    assert Counter(one.status for one in answers) == {201: REGISTRATIONS_AN_HOUR, 429: MORE}
    session = await fixtures.live_session()
    body = {"user_id": anna.id}
    banned = await fixtures.client.call("POST", f"/sessions/{session}/ban", fixtures.host.access_token, body)
    assert banned.status == 201, banned
    for one in answers:
        if one.status == 201:
            joined = await fixtures.client.call("POST", f"/sessions/{session}/join", one.data["access_token"])
            joined.check_refusal(403, "banned")
    await fixtures.do("end", session)
