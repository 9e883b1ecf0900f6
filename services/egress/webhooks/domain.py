"""Translating LiveKit's webhooks: one table from its events to ours. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from shared.access.room_permissions import user_of
from shared.clock import from_unix_ms, from_unix_ns
from shared.contracts.livekit_events import (
    Connection,
    EgressEnded,
    EgressEvent,
    EgressStarted,
    EgressUpdated,
    FileResult,
    IngressEnded,
    IngressEvent,
    IngressStarted,
    LiveKitEvent,
    LiveKitRoomFinished,
    LiveKitRoomStarted,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
    TrackEvent,
    TrackPublished,
    TrackUnpublished,
)
from shared.contracts.states import Role
from shared.egress.engine import EgressStatus
from shared.egress.keys import key_in
from shared.ids import is_id
from shared.livekit.join_terms import JoinTerms
from shared.livekit.tokens import GUEST_ATTRIBUTE, KEY_ATTRIBUTE, ROLE_ATTRIBUTE, issued_at
from shared.livekit.webhook import Egress, IngressState, WebhookEvent, WebhookParticipant

_SECOND = timedelta(seconds=1)
# Another status, of a newer LiveKit, is not translated.
_EGRESS_STATES = frozenset(status.value for status in EgressStatus)

# From a webhook and when it happened; None if it lacks the part that its event is about.
Translation = Callable[[WebhookEvent, datetime], LiveKitEvent | None]


def translate(webhook: WebhookEvent, received_at: datetime) -> LiveKitEvent | None:
    """Our event, or None for unknown events and for rooms that are not our sessions."""
    translation = TRANSLATIONS.get(webhook.event)
    if translation is None or not is_id(webhook.room_name):
        return None
    return translation(webhook, happened_at(webhook, received_at))


def happened_at(webhook: WebhookEvent, received_at: datetime) -> datetime:
    """When it happened: `createdAt` has whole seconds, our receipt decides within that second.

    A webhook that came late, or from a clock that is not ours, keeps the second as it is.
    """
    created_at = from_unix_ms(webhook.created_at * 1000)
    return received_at if created_at <= received_at < created_at + _SECOND else created_at


def connection(participant: WebhookParticipant, moment: datetime) -> Connection:
    """`moment` stands in for the time of joining if LiveKit does not give it."""
    joined = participant.joined_at_ms or participant.joined_at * 1000
    return Connection(
        participant_sid=participant.sid,
        identity=participant.identity,
        user_id=user_of(participant.identity),
        username=participant.name,
        role=_role(participant),
        hidden=participant.permission.hidden,
        recorder=participant.permission.recorder,
        kind=participant.kind,
        joined_at=from_unix_ms(joined) if joined else moment,
        issued_at=issued_at(participant.attributes),
        key_id=participant.attributes.get(KEY_ATTRIBUTE),
        is_guest=GUEST_ATTRIBUTE in participant.attributes,
        **vars(JoinTerms.of(participant.attributes)),
    )


def _role(participant: WebhookParticipant) -> Role:
    """An ingress is its host: LiveKit's API cannot give it attributes."""
    if participant.kind == "ingress":
        return Role.HOST
    value = participant.attributes.get(ROLE_ATTRIBUTE)
    return next((role for role in Role if role.value == value), Role.AUDIENCE)


def _room_started(webhook: WebhookEvent, moment: datetime) -> LiveKitRoomStarted:
    opened = webhook.room.creation_time_ms
    return LiveKitRoomStarted(
        session_id=webhook.room_name,
        occurred_at=from_unix_ms(opened) if opened else moment,
        room_sid=webhook.room.sid,
    )


def _room_finished(webhook: WebhookEvent, moment: datetime) -> LiveKitRoomFinished:
    return LiveKitRoomFinished(session_id=webhook.room_name, occurred_at=moment, room_sid=webhook.room.sid)


def _joined(webhook: WebhookEvent, moment: datetime) -> ParticipantJoined | None:
    if webhook.participant is None:
        return None
    joined = connection(webhook.participant, moment)
    return ParticipantJoined(
        session_id=webhook.room_name,
        occurred_at=joined.joined_at,
        connection=joined,
        room_sid=webhook.room.sid or None,
    )


def _gone(kind: type[ParticipantLeft | ParticipantConnectionAborted]) -> Translation:
    def translation(webhook: WebhookEvent, moment: datetime) -> LiveKitEvent | None:
        if webhook.participant is None:
            return None
        gone = connection(webhook.participant, moment)
        reason = webhook.participant.disconnect_reason
        return kind(
            session_id=webhook.room_name,
            occurred_at=max(moment, gone.joined_at),
            connection=gone,
            room_sid=webhook.room.sid or None,
            reason=None if reason == "unknown_reason" else reason,
        )

    return translation


def _track(kind: type[TrackEvent]) -> Translation:
    def translation(webhook: WebhookEvent, moment: datetime) -> LiveKitEvent | None:
        if webhook.participant is None or webhook.track is None:
            return None
        return kind(
            session_id=webhook.room_name,
            occurred_at=moment,
            participant_sid=webhook.participant.sid,
            identity=webhook.participant.identity,
            user_id=user_of(webhook.participant.identity),
            track_sid=webhook.track.sid,
            type=webhook.track.type,
            source=webhook.track.source,
        )

    return translation


def _egress(kind: type[EgressEvent], time: Callable[[Egress], int]) -> Translation:
    """`time` is when the event was, in nanoseconds; 0 if LiveKit does not say."""

    def translation(webhook: WebhookEvent, moment: datetime) -> LiveKitEvent | None:
        info = webhook.egress_info
        status = info.status.removeprefix("egress_") if info else ""
        if info is None or status not in _EGRESS_STATES:
            return None
        return kind(
            session_id=webhook.room_name,
            occurred_at=_nanoseconds(time(info), moment),
            egress_id=info.egress_id,
            status=status,
            error=info.error or None,
            egress_key=key_in(info.room_composite.paths),
            details=info.details or None,
            started_at=from_unix_ns(info.started_at),
            ended_at=from_unix_ns(info.ended_at),
            files=tuple(
                FileResult(
                    filename=one.filename,
                    size=one.size,
                    duration=one.duration / 1e9,
                    started_at=from_unix_ns(one.started_at),
                )
                for one in info.file_results
            ),
            segment_count=sum(one.segment_count for one in info.segment_results)
            if info.segment_results
            else None,
        )

    return translation


def _ingress(kind: type[IngressEvent], time: Callable[[IngressState], int]) -> Translation:
    """`time` is when the event was, in nanoseconds; 0 if LiveKit does not say."""

    def translation(webhook: WebhookEvent, moment: datetime) -> LiveKitEvent | None:
        info = webhook.ingress_info
        if info is None:
            return None
        return kind(
            session_id=webhook.room_name,
            occurred_at=_nanoseconds(time(info.state), moment),
            ingress_id=info.ingress_id,
            status=info.state.status.removeprefix("endpoint_"),
            error=info.state.error or None,
        )

    return translation


def _nanoseconds(value: int, moment: datetime) -> datetime:
    return from_unix_ns(value) or moment


TRANSLATIONS: Mapping[str, Translation] = {
    "room_started": _room_started,
    "room_finished": _room_finished,
    "participant_joined": _joined,
    "participant_left": _gone(ParticipantLeft),
    "participant_connection_aborted": _gone(ParticipantConnectionAborted),
    "track_published": _track(TrackPublished),
    "track_unpublished": _track(TrackUnpublished),
    "egress_started": _egress(EgressStarted, lambda info: info.started_at),
    "egress_updated": _egress(EgressUpdated, lambda info: info.updated_at),
    "egress_ended": _egress(EgressEnded, lambda info: info.ended_at),
    "ingress_started": _ingress(IngressStarted, lambda state: state.started_at),
    "ingress_ended": _ingress(IngressEnded, lambda state: state.ended_at),
}
