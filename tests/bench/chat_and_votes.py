"""Chat messages and votes, beside concurrent journaled inserts of the same documents."""

from datetime import UTC, datetime

from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.bench.api import Api, connect
from tests.bench.load import Load, closed
from tests.bench.rows import Row
from tests.running_stack import RunningStack

AT_ONCE = 32
OPTIONS = 10
_BASELINE = "concurrent journaled insert_one"


async def run(stack: RunningStack, *, short: bool) -> list[Row]:
    calls = 60 if short else 1_200
    async with connect(stack.info) as api:
        session = await api.session(await api.room(), await api.preset())
        await api.call("POST", f"/sessions/{session}/start")
        rows = [await _chat(api, stack, session, calls), await _votes(api, stack, session, calls)]
        await api.call("POST", f"/sessions/{session}/end")
    return rows


async def _chat(api: Api, stack: RunningStack, session: str, calls: int) -> Row:
    """Through an API key, as a customer's backend sends them: one person alone would meet the flood limit."""
    key = stack.info.api_key
    headers = {"X-API-Key": f"{key.id}.{key.secret}"}

    async def ours(number: int) -> None:
        body = {"message": f"Message {number}"}
        async with api.http.post(f"/sessions/{session}/chat", json=body, headers=headers) as response:
            await response.read()
            response.raise_for_status()

    base = await _inserts(stack, calls)
    await closed(8, 4, ours)
    own = await closed(calls, AT_ONCE, ours)
    kept = (await api.call("GET", f"/sessions/{session}/chat?limit=1"))["total"]
    return _row("chat messages", own, base, f"all {kept:,} of {calls + 8:,} kept")


async def _votes(api: Api, stack: RunningStack, session: str, calls: int) -> Row:
    """Everybody votes for each option of one poll and gets the counts."""
    voters = [await api.viewer() for _ in range(calls // OPTIONS)]
    body = {
        "question": "Which?",
        "options": [f"{number}" for number in range(OPTIONS)],
        "allow_multiple_votes": True,
    }
    poll = await api.call("POST", f"/sessions/{session}/polls", body)
    options = [option["id"] for option in poll["options"]]
    path = f"/polls/{poll['id']}"

    async def ours(number: int) -> None:
        voter, option = voters[number // OPTIONS], options[number % OPTIONS]
        await api.call("POST", f"{path}/vote", {"option_id": option}, token=voter)

    base = await _inserts(stack, calls)
    own = await closed(calls, AT_ONCE, ours)
    counted = sum(option["vote_count"] for option in (await api.call("GET", f"{path}/results"))["options"])
    return _row("votes", own, base, f"all {counted:,} of {calls:,} counted")


async def _inserts(stack: RunningStack, calls: int) -> Load:
    mongo = Mongo.from_uri(stack.info.mongodb.session)
    collection = mongo.collection("bench_talk")

    async def barely(number: int) -> None:
        await collection.insert(
            {
                "_id": new_id(),
                "session_id": "a session",
                "user_id": "somebody",
                "text": f"Message {number}",
                "created_at": datetime.now(UTC),
            }
        )

    try:
        await closed(8, 4, barely)
        return await closed(calls, AT_ONCE, barely)
    finally:
        mongo.close()


def _row(what: str, own: Load, base: Load, note: str) -> Row:
    told = f"{note}; p50 {own.percentile(0.5):.0f} ms, {AT_ONCE} at once, through the gateway"
    return Row(what, own.rate, "/s", base.rate, _BASELINE, goal=0.3, note=told)
