"""The health of the whole, for everybody."""

from tests.contract.api.client import Client
from tests.contract.api.contract import operations


async def test_every_service_is_well(client: Client) -> None:
    operation = operations()["GET /health"]
    answer = await client.call("GET", "/health")
    assert answer.status == operation.status
    assert answer.body.keys() == {"success", "data", "timestamp"}
    assert answer.data["status"] == "ok"
    states = {name: service["status"] for name, service in answer.data["services"].items()}
    assert states == {"session": "ok", "egress": "ok", "attendance": "ok"}
