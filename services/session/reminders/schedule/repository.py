"""Where schedules are kept: one a session, under its id."""

from datetime import datetime

from services.session.reminders.schedule.domain import ReminderSchedule
from shared.persistence.mongo import ASCENDING, Index
from shared.persistence.repository import Repository

_KEPT_SECONDS = 400 * 24 * 3600


class ScheduleRepository(Repository[ReminderSchedule]):
    collection_name = "reminder_agendas"
    noun = "schedule"
    entity = ReminderSchedule
    indexes = (
        Index([("due_at", ASCENDING)], sparse=True),
        Index([("created_at", ASCENDING)], expire_after_seconds=_KEPT_SECONDS),
    )

    async def list_due(self, now: datetime, limit: int) -> list[ReminderSchedule]:
        """Those with something due, longest due first."""
        query = {"due_at": {"$lte": now}}
        found = await self.collection.find(query, sort=[("due_at", ASCENDING)], limit=limit)
        return [self.load(document) for document in found]
