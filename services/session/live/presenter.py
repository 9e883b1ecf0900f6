"""A started session as its host sees it: with their token, and the addresses for an encoder."""

from datetime import timedelta

from services.session.live.schemas import StartSessionResponse, rtmp_response, rtmp_setup_response
from services.session.sessions.domain.session import Session
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.presenter import SessionPresenter
from shared.access.identity import Caller
from shared.access.permissions import encoder_grant
from shared.contracts.states import PresetType, SessionMode
from shared.livekit import TokenMint, whip_url


class StartPresenter:
    """`whip_lifetime` is the longest that a session may last, so that an encoder can reconnect."""

    def __init__(
        self,
        views: SessionPresenter,
        join_tokens: JoinTokens,
        mint: TokenMint,
        livekit_url: str,
        whip_lifetime: timedelta,
    ):
        self._presenter = views
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
            rtmp=rtmp_response(ingest) if ingest else None,
            rtmp_setup=rtmp_setup_response(ingest) if ingest else None,
            whip_url=self._whip_url(session, caller) if by_whip else None,
        )

    def _whip_url(self, session: Session, caller: Caller) -> str:
        grant = encoder_grant(room=session.id, identity=f"{session.host_id}:whip", name=caller.username)
        return whip_url(self._livekit_url, self._mint.join_token(grant, lifetime=self._whip_lifetime))
