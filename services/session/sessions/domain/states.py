"""A session as its events carry it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shared.contracts.states import SessionState

if TYPE_CHECKING:
    from services.session.sessions.domain.session import Session


def session_state(session: Session) -> SessionState:
    return SessionState(
        id=session.id,
        version=session.version,
        organization_id=session.organization_id,
        library_id=session.library_id,
        room_id=session.room_id,
        host_id=session.host_id,
        title=session.title,
        description=session.description,
        status=session.status,
        mode=session.mode,
        preset_id=session.preset.id,
        preset=session.preset.settings,
        scheduled_start_time=session.scheduled_start_time,
        started_at=session.started_at,
        ended_at=session.ended_at,
        end_reason=session.end_reason,
        end_estimated=session.end_estimated,
        chat_enabled_override=session.chat_enabled_override,
        stage_enabled_override=session.stage_enabled_override,
        max_join_limit_override=session.max_join_limit_override,
        roles=session.roles,
        stage=session.stage,
        banned=_banned(session),
        listed=session.listed,
        stream=session.stream,
        created_at=session.created_at,
        updated_at=session.updated_at,
    )


def _banned(session: Session) -> dict[str, datetime]:
    """People and their devices."""
    people = {user_id: ban.banned_at for user_id, ban in session.bans.items()}
    devices = {ban.device_id: ban.banned_at for ban in session.bans.values() if ban.device_id}
    return devices | people
