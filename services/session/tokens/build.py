"""Tokens, built."""

from dataclasses import dataclass

from services.session.catalog.build import Catalog
from services.session.identity.build import Identity
from services.session.sessions.build import SessionCore
from services.session.tokens.code_exchange import CodeExchange
from services.session.tokens.room_tokens import RoomTokens
from services.session.tokens.service import TokenService
from shared.clock import Clock


@dataclass(frozen=True)
class Tokens:
    service: TokenService
    code_exchange: CodeExchange


def build_tokens(sessions: SessionCore, catalog: Catalog, identity: Identity, clock: Clock) -> Tokens:
    accounts, issuer, join_tokens = identity.accounts, identity.issuer, sessions.join_tokens
    room_tokens = RoomTokens(sessions.pending, join_tokens, accounts, issuer, clock)
    service = TokenService(
        sessions.repository, sessions.access, catalog.rooms, room_tokens, join_tokens, accounts, issuer, clock
    )
    return Tokens(service, CodeExchange(catalog.codes, identity.users, room_tokens))
