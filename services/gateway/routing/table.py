"""The one route table: what is not in it cannot be reached from outside.

Methods, paths, access and mirrors are those of the HTTP contract; a test holds them against what
the services declare. A new operation is a new line.
"""

from typing import Final

from services.gateway.routing.operation import (
    SIGN_IN_LIMIT,
    Operation,
    Upstream,
    administered,
    delete,
    get,
    patch,
    post,
)
from shared.http.files import LARGEST_FILE
from shared.http.routes import ADMIN, ANONYMOUS, BEARER, HOST, MODERATOR, PROXY, PUBLIC, SIGNED

_SESSION, _EGRESS, _ATTENDANCE = Upstream.SESSION, Upstream.EGRESS, Upstream.ATTENDANCE
_GATEWAY = Upstream.GATEWAY

TABLE: Final[tuple[Operation, ...]] = (
    # Auth
    post("/auth/login", _SESSION, ANONYMOUS, body_limit=SIGN_IN_LIMIT, sign_in=True),
    post("/auth/refresh", _SESSION, ANONYMOUS),
    post("/auth/viewer/register", _SESSION, ANONYMOUS),
    post("/auth/viewer/device-login", _SESSION, ANONYMOUS),
    post("/auth/exchange-code", _SESSION, ANONYMOUS),
    get("/auth/me", _SESSION, BEARER),
    post("/auth/logout", _SESSION, BEARER),
    post("/auth/generate-code", _SESSION, HOST, mirrored=True),
    # Rooms
    get("/rooms", _SESSION, PUBLIC, mirrored=True, cached=True),
    post("/rooms", _SESSION, HOST, mirrored=True),
    get("/rooms/my", _SESSION, BEARER, mirrored=True),
    get("/rooms/{id}", _SESSION, PUBLIC, mirrored=True, cached=True),
    patch("/rooms/{id}", _SESSION, HOST, mirrored=True),
    delete("/rooms/{id}", _SESSION, HOST, mirrored=True),
    # Presets
    post("/presets", _SESSION, HOST, mirrored=True),
    get("/presets", _SESSION, HOST, mirrored=True),
    get("/presets/{id}", _SESSION, HOST, mirrored=True),
    patch("/presets/{id}", _SESSION, HOST, mirrored=True),
    delete("/presets/{id}", _SESSION, HOST, mirrored=True),
    post("/presets/{id}/set_default", _SESSION, HOST, mirrored=True),
    # Sessions
    get("/rooms/{id}/sessions", _SESSION, HOST, mirrored=True),
    post("/rooms/{id}/sessions", _SESSION, HOST, mirrored=True),
    get("/sessions", _SESSION, PUBLIC, mirrored=True, cached=True),
    get("/sessions/live", _SESSION, PUBLIC, mirrored=True, cached=True),
    get("/sessions/stats", _SESSION, BEARER, mirrored=True),
    get("/sessions/{id}", _SESSION, PUBLIC, mirrored=True, cached=True),
    delete("/sessions/{id}", _SESSION, HOST, mirrored=True),
    post("/sessions/{id}/join", _SESSION, BEARER, mirrored=True),
    post("/sessions/{id}/go_live", _SESSION, HOST, mirrored=True),
    post("/sessions/{id}/start", _SESSION, HOST, mirrored=True),
    post("/sessions/{id}/end", _SESSION, HOST, mirrored=True),
    patch("/sessions/{id}/reschedule", _SESSION, HOST, mirrored=True),
    patch("/sessions/{id}/settings", _SESSION, MODERATOR),
    post("/sessions/{id}/tokens", _SESSION, HOST),
    get("/sessions/{id}/monitor", _SESSION, MODERATOR, mirrored=True),
    post("/sessions/{id}/start_webcam_hls", _SESSION, HOST, mirrored=True),
    post("/sessions/{id}/ensure_hls_egress", _SESSION, HOST, mirrored=True),
    post("/sessions/{id}/rotate_stream_key", _SESSION, HOST),
    post("/sessions/{id}/host_video_state", _SESSION, HOST, mirrored=True),
    post("/sessions/{id}/host_audio_state", _SESSION, HOST, mirrored=True),
    post("/sessions/{id}/studio_url", _SESSION, HOST, mirrored=True),
    get("/sessions/{id}/share_urls", _SESSION, BEARER, mirrored=True),
    get("/sessions/{id}/stream_health", _EGRESS, MODERATOR, mirrored=True),
    # Participants
    get("/sessions/{id}/participants", _SESSION, BEARER),
    post("/sessions/{id}/co_hosts", _SESSION, HOST),
    delete("/sessions/{id}/co_hosts/{user_id}", _SESSION, HOST),
    post("/sessions/{id}/moderators", _SESSION, HOST),
    delete("/sessions/{id}/moderators/{user_id}", _SESSION, HOST),
    # Moderation
    post("/sessions/{id}/ban", _SESSION, MODERATOR),
    delete("/sessions/{id}/ban/{user_id}", _SESSION, MODERATOR),
    get("/sessions/{id}/banned", _SESSION, MODERATOR),
    get("/sessions/{id}/ban_status", _SESSION, BEARER),
    # Stage
    post("/sessions/{id}/raise_hand", _SESSION, BEARER),
    post("/sessions/{id}/lower_hand", _SESSION, BEARER),
    get("/sessions/{id}/hand_raise_status", _SESSION, BEARER),
    get("/sessions/{id}/stage", _SESSION, BEARER),
    post("/sessions/{id}/stage/leave", _SESSION, BEARER),
    get("/sessions/{id}/stage/token", _SESSION, BEARER),
    post("/sessions/{id}/join_requests", _SESSION, BEARER),
    get("/sessions/{id}/join_requests/my", _SESSION, BEARER),
    # Stage Management
    post("/sessions/{id}/stage/add", _SESSION, MODERATOR),
    post("/sessions/{id}/stage/remove", _SESSION, MODERATOR),
    patch("/sessions/{id}/stage/{participant_identity}/permissions", _SESSION, MODERATOR),
    get("/sessions/{id}/join_requests", _SESSION, MODERATOR),
    post("/sessions/{id}/join_requests/{request_id}/approve", _SESSION, MODERATOR),
    post("/sessions/{id}/join_requests/{request_id}/reject", _SESSION, MODERATOR),
    get("/sessions/{id}/hand_raises", _SESSION, MODERATOR),
    post("/sessions/{id}/hand_raises/{hand_raise_id}/approve", _SESSION, MODERATOR),
    post("/sessions/{id}/hand_raises/{hand_raise_id}/reject", _SESSION, MODERATOR),
    # Reminders
    post("/rooms/{id}/reminders", _SESSION, BEARER, mirrored=True),
    delete("/rooms/{id}/reminders", _SESSION, BEARER, mirrored=True),
    get("/rooms/{id}/reminders/my", _SESSION, BEARER, mirrored=True),
    get("/rooms/{id}/reminders/confirm", _SESSION, ANONYMOUS),
    post("/rooms/{id}/reminders/confirm", _SESSION, ANONYMOUS, body_limit=SIGN_IN_LIMIT),
    get("/rooms/{id}/reminders/unsubscribe", _SESSION, ANONYMOUS),
    post("/rooms/{id}/reminders/unsubscribe", _SESSION, ANONYMOUS, body_limit=SIGN_IN_LIMIT),
    # Streams
    get("/hls/{path:.+}", _EGRESS, ANONYMOUS),
    # Chat
    get("/sessions/{id}/chat", _SESSION, BEARER),
    post("/sessions/{id}/chat", _SESSION, BEARER, talking=True),
    delete("/sessions/{id}/chat/{message_id}", _SESSION, BEARER),
    post(
        "/sessions/{id}/chat/files",
        _SESSION,
        BEARER,
        body_limit=LARGEST_FILE,
        talking=True,
    ),
    get("/sessions/{id}/chat/export", _SESSION, HOST),
    get("/chat/files/{token}/{id}", _SESSION, ANONYMOUS),
    # Polls
    get("/sessions/{id}/polls", _SESSION, BEARER),
    post("/sessions/{id}/polls", _SESSION, BEARER),
    post("/polls/{id}/vote", _SESSION, BEARER),
    get("/polls/{id}/results", _SESSION, BEARER),
    post("/polls/{id}/close", _SESSION, MODERATOR),
    # Recordings
    get("/recordings/my", _EGRESS, HOST),
    get("/recordings/{id}", _EGRESS, HOST),
    patch("/recordings/{id}", _EGRESS, HOST),
    delete("/recordings/{id}", _EGRESS, HOST),
    get("/recordings/{id}/download", _EGRESS, HOST),
    get("/recordings/{id}/file", _EGRESS, PUBLIC),
    get("/sessions/{id}/recordings", _EGRESS, HOST),
    get("/sessions/{id}/recordings/active", _EGRESS, HOST),
    post("/sessions/{id}/recordings/start", _EGRESS, HOST),
    post("/sessions/{id}/recordings/stop", _EGRESS, HOST),
    # Attendance
    post("/sessions/{id}/leave", _ATTENDANCE, BEARER),
    get("/sessions/{id}/viewers", _ATTENDANCE, BEARER),
    get("/sessions/{id}/attendance", _ATTENDANCE, HOST, mirrored=True),
    get("/sessions/{id}/attendance/stats", _ATTENDANCE, HOST, mirrored=True),
    # A spreadsheet is made before its first byte is sent.
    get("/sessions/{id}/attendance/export", _ATTENDANCE, HOST, mirrored=True, deadline=60.0),
    # Administration
    *administered("/admin/organizations", _SESSION),
    *administered("/admin/libraries", _SESSION),
    *administered("/admin/users", _SESSION),
    *administered("/admin/api-keys", _SESSION),
    get("/admin/drift", _EGRESS, ADMIN),
    get("/admin/storage/status", _EGRESS, ADMIN),
    post("/admin/storage/cleanup", _EGRESS, ADMIN),
    post("/admin/recordings/{id}/retry", _EGRESS, ADMIN),
    get("/admin/sessions/{id}/journal", _SESSION, ADMIN),
    # LiveKit
    post("/webhooks/livekit", _EGRESS, SIGNED),
    # Centrifugo
    post("/centrifugo/connect", _SESSION, PROXY),
    post("/centrifugo/subscribe", _SESSION, PROXY),
    # The gateway itself
    get("/", _GATEWAY, PUBLIC),
    get("/health", _GATEWAY, PUBLIC),
    get("/openapi.json", _GATEWAY, PUBLIC),
    get("/docs", _GATEWAY, PUBLIC),
    get("/docs/{asset}", _GATEWAY, PUBLIC),
    get("/healthz", _GATEWAY, PUBLIC),
    get("/readyz", _GATEWAY, PUBLIC),
    get("/metrics", _GATEWAY, PUBLIC),
)
