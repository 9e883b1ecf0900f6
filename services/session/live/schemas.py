"""HTTP data about starting sessions, and about their RTMP ingest."""

from services.session.sessions.domain.session import Ingest
from services.session.sessions.schemas import SessionResponse
from shared.http import Data


class RtmpResponse(Data):
    ingress_id: str
    url: str
    stream_key: str


class InstructionsResponse(Data):
    step1: str
    step2: str
    step3: str


class RtmpSetupResponse(Data):
    server: str
    stream_key: str
    instructions: InstructionsResponse


class StartSessionResponse(Data):
    session: SessionResponse
    livekit_token: str
    rtmp: RtmpResponse | None
    rtmp_setup: RtmpSetupResponse | None
    whip_url: str | None


def rtmp_response(ingest: Ingest) -> RtmpResponse:
    return RtmpResponse(ingress_id=ingest.ingress_id, url=ingest.url, stream_key=ingest.stream_key)


def rtmp_setup_response(ingest: Ingest) -> RtmpSetupResponse:
    return RtmpSetupResponse(
        server=ingest.url,
        stream_key=ingest.stream_key,
        instructions=InstructionsResponse(
            step1="In your encoder choose a custom RTMP server and enter the server address.",
            step2="Enter the stream key, and keep it secret.",
            step3="Start streaming; viewers see it as soon as the session is live.",
        ),
    )
