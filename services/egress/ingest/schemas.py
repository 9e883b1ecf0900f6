"""Bodies of the internal ingest operation."""

from typing import Annotated

from pydantic import StringConstraints

from shared.http import Body, Data
from shared.http.schema import Id
from shared.livekit import Ingress


class IngestRequest(Body):
    """`name` is how the host is shown in the room."""

    session_id: Id
    host_id: Id
    name: Annotated[str, StringConstraints(max_length=255)]


class IngestResponse(Data):
    """Encoders send RTMP to `url` with `stream_key`, a secret."""

    ingress_id: str
    url: str
    stream_key: str


def ingest_response(ingress: Ingress) -> IngestResponse:
    return IngestResponse(ingress_id=ingress.ingress_id, url=ingress.url, stream_key=ingress.stream_key)
