"""Every operation of the session service."""

from services.session.audit import routes as audit_routes
from services.session.catalog.codes import routes as code_routes
from services.session.catalog.libraries import routes as library_routes
from services.session.catalog.presets import routes as preset_routes
from services.session.catalog.rooms import routes as room_routes
from services.session.centrifugo import routes as centrifugo_routes
from services.session.chat import routes as chat_routes
from services.session.identity.accounts import routes as account_routes
from services.session.identity.keys import routes as key_routes
from services.session.identity.organizations import routes as organization_routes
from services.session.identity.revocations import routes as revocation_routes
from services.session.identity.signin import routes as signin_routes
from services.session.journal import routes as journal_routes
from services.session.live import routes as live_routes
from services.session.media_state import routes as host_media_routes
from services.session.moderation import routes as moderation_routes
from services.session.participants import routes as participant_routes
from services.session.polls import routes as poll_routes
from services.session.reminders import routes as reminder_routes
from services.session.room_participants import routes as room_participant_routes
from services.session.sessions import routes as session_routes
from services.session.sharing import routes as sharing_routes
from services.session.stage.requests import routes as stage_request_routes
from services.session.stage.seats import routes as stage_routes
from services.session.timeline import routes as timeline_routes
from services.session.timeline.explanation import routes as explanation_routes
from services.session.tokens import routes as token_routes
from services.session.whip import routes as whip_routes
from shared.http import Routes

ALL_ROUTES: tuple[Routes, ...] = (
    signin_routes.routes,
    sharing_routes.auth,
    room_routes.routes,
    code_routes.routes,
    reminder_routes.routes,
    preset_routes.routes,
    session_routes.routes,
    token_routes.routes,
    token_routes.room_routes,
    live_routes.routes,
    whip_routes.routes,
    host_media_routes.routes,
    sharing_routes.routes,
    participant_routes.routes,
    room_participant_routes.routes,
    moderation_routes.routes,
    stage_routes.routes,
    stage_routes.management,
    stage_request_routes.routes,
    stage_request_routes.management,
    chat_routes.routes,
    poll_routes.routes,
    centrifugo_routes.routes,
    organization_routes.routes,
    library_routes.routes,
    account_routes.routes,
    key_routes.routes,
    revocation_routes.routes,
    journal_routes.routes,
    audit_routes.routes,
    timeline_routes.routes,
    explanation_routes.routes,
    journal_routes.session_routes,
)
