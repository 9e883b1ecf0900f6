"""A started session as its host sees it: with their token, and the addresses for an encoder."""

from services.session.live.service import StartedSession
from services.session.sessions.encoder_keys import EncoderKeys
from services.session.sessions.ingest import Ingest
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.presenter import SessionPresenter
from services.session.sessions.schemas import SessionResponse
from shared.access.encoders import owner_for
from shared.access.identity import Caller
from shared.contracts.states import PresetType, SessionMode
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
    """Encoders publish to `whip_url`; those that ask for a bearer token as well get it here, too."""

    session: SessionResponse
    livekit_token: str
    livekit_url: str
    rtmp: RtmpResponse | None
    rtmp_setup: RtmpSetupResponse | None
    whip_url: str | None
    whip_bearer_token: str | None


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


class StartPresenter:
    """`whip_server` is where encoders publish by WHIP."""

    def __init__(
        self,
        presenter: SessionPresenter,
        join_tokens: JoinTokens,
        encoder_keys: EncoderKeys,
        whip_server: str,
    ):
        self._presenter = presenter
        self._join_tokens = join_tokens
        self._encoder_keys = encoder_keys
        self._whip_server = whip_server

    async def respond(self, started: StartedSession, caller: Caller) -> StartSessionResponse:
        """Keys in it are the caller's own. Raises `Forbidden` for banned users."""
        session, ingest = started.session, started.ingest
        by_whip = session.mode is SessionMode.WEBCAM and session.preset.settings.type is PresetType.WHIP
        key = self._encoder_keys.issue(session.id, owner_for(session, caller)) if by_whip else None
        token = self._join_tokens.mint(session, caller)
        return StartSessionResponse(
            session=await self._presenter.one(session, caller),
            livekit_token=token.livekit_token,
            livekit_url=token.livekit_url,
            rtmp=RtmpResponse.of(ingest) if ingest else None,
            rtmp_setup=rtmp_setup_response(ingest) if ingest else None,
            whip_url=f"{self._whip_server}/{key}" if key else None,
            whip_bearer_token=key,
        )
