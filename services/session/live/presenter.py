"""A started session as its host sees it: with their token, and the addresses for an encoder."""

from datetime import timedelta

from services.session.sessions.domain.session import Ingest, Session
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.presenter import SessionPresenter
from services.session.sessions.schemas import SessionResponse
from shared.access.identity import Caller
from shared.access.permissions import encoder_grant
from shared.contracts.states import PresetType, SessionMode
from shared.http import Data
from shared.livekit import TokenMint, whip_url


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
    """`whip_lifetime` is the longest that a session may last, so that an encoder can reconnect."""

    def __init__(
        self,
        presenter: SessionPresenter,
        join_tokens: JoinTokens,
        mint: TokenMint,
        livekit_url: str,
        whip_lifetime: timedelta,
    ):
        self._presenter = presenter
        self._join_tokens = join_tokens
        self._mint = mint
        self._livekit_url = livekit_url
        self._whip_lifetime = whip_lifetime

    async def respond(self, session: Session, caller: Caller) -> StartSessionResponse:
        """Raises `Forbidden` for banned users."""
        ingest = session.ingest
        by_whip = session.mode is SessionMode.WEBCAM and session.preset.settings.type is PresetType.WHIP
        return StartSessionResponse(
            session=await self._presenter.one(session, caller),
            livekit_token=self._join_tokens.mint(session, caller),
            rtmp=RtmpResponse.of(ingest) if ingest else None,
            rtmp_setup=rtmp_setup_response(ingest) if ingest else None,
            whip_url=self._whip_url(session, caller) if by_whip else None,
        )

    def _whip_url(self, session: Session, caller: Caller) -> str:
        grant = encoder_grant(room=session.id, identity=f"{session.host_id}:whip", name=caller.username)
        return whip_url(self._livekit_url, self._mint.join_token(grant, lifetime=self._whip_lifetime))
