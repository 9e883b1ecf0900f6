"""Requests to leave: an aggregate a sign-in and session, stored with its event."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.access.identity import Caller
from shared.contracts.attendance_events import ParticipantLeaveRequested
from shared.contracts.event import Event
from shared.persistence.mongo import ASCENDING, Duplicate, Index
from shared.persistence.repository import Repository


@dataclass
class LeaveRequest:
    """The last time that one sign-in asked to leave the session."""

    id: str
    version: int
    session_id: str
    user_id: str
    identity: str
    requested_at: datetime

    def request(self, at: datetime) -> list[Event]:
        self.requested_at = at
        return [
            ParticipantLeaveRequested(
                session_id=self.session_id, user_id=self.user_id, identity=self.identity, requested_at=at
            )
        ]


class LeaveRequestRepository(Repository[LeaveRequest]):
    collection_name: ClassVar[str] = "leaves"
    noun: ClassVar[str] = "leave"
    indexes = (Index([("session_id", ASCENDING)]),)
    entity = LeaveRequest

    async def request(self, session_id: str, caller: Caller, at: datetime) -> None:
        """Store the request and its event."""
        id_ = f"{session_id}/{caller.identity}"
        leave = LeaveRequest(id_, 1, session_id, caller.user_id, caller.identity, at)
        try:
            await self.add(leave, leave.request(at))
        except Duplicate:
            await self.change(id_, lambda known: known.request(at))

    async def remove_session(self, session_id: str) -> None:
        await self.collection.delete_many({"session_id": session_id})
