"""What is known of a request while it is handled."""

from dataclasses import dataclass

from services.gateway.http.clients import Client
from services.gateway.identity.callers import Identified
from services.gateway.routing.router import Endpoint


@dataclass(slots=True)
class Visit:
    """`ours` goes into the answer, whatever it is; the rest is filled in as it is found out."""

    request_id: str
    client: Client
    ours: dict[str, str]
    path: str
    endpoint: Endpoint | None = None
    identified: Identified | None = None
