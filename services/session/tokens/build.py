"""Tokens, built."""

from services.session.catalog.rooms.service import RoomService
from services.session.identity.build import Identity
from services.session.sessions.build import SessionCore
from services.session.tokens.room_tokens import RoomTokens
from services.session.tokens.service import TokenService
from shared.clock import Clock


def build_tokens(sessions: SessionCore, rooms: RoomService, identity: Identity, clock: Clock) -> TokenService:
    accounts, issuer, join_tokens = identity.accounts, identity.issuer, sessions.join_tokens
    room_tokens = RoomTokens(sessions.pending, join_tokens, accounts, issuer, clock)
    return TokenService(
        sessions.repository, sessions.access, rooms, room_tokens, join_tokens, accounts, issuer, clock
    )
