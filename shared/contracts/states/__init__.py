"""The states that events carry: everything a projection of another service may want to keep."""

from shared.contracts.states.chat import ChatDeletionState, ChatFileState, ChatMessageState
from shared.contracts.states.libraries import LibraryState, RoomState, Visibility
from shared.contracts.states.people import Role, UserRole, UserState
from shared.contracts.states.polls import PollOptionState, PollState, PollStatus
from shared.contracts.states.presets import PresetSettings, PresetState, PresetType
from shared.contracts.states.sessions import EndReason, SessionMode, SessionState, SessionStatus
from shared.contracts.states.stage import RequestKind, RequestStatus, StageRequestState, StageSeat
from shared.contracts.states.state import State
from shared.contracts.states.streams import (
    RecordingState,
    RecordingStatus,
    StreamState,
    StreamStatus,
    StreamWish,
)

__all__ = [
    "ChatDeletionState",
    "ChatFileState",
    "ChatMessageState",
    "EndReason",
    "LibraryState",
    "PollOptionState",
    "PollState",
    "PollStatus",
    "PresetSettings",
    "PresetState",
    "PresetType",
    "RecordingState",
    "RecordingStatus",
    "RequestKind",
    "RequestStatus",
    "Role",
    "RoomState",
    "SessionMode",
    "SessionState",
    "SessionStatus",
    "StageRequestState",
    "StageSeat",
    "State",
    "StreamState",
    "StreamStatus",
    "StreamWish",
    "UserRole",
    "UserState",
    "Visibility",
]
