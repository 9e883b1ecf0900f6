"""Keeping the audit log, and reading it."""

from typing import Final

from services.session.audit.audit_filter import AuditFilter
from services.session.audit.repository import AuditRepository
from shared.bus import Group, on
from shared.contracts.audit_events import AdministratorActed
from shared.contracts.states import AuditedCallState

GROUP: Final = "session.audit"


class AuditService:
    def __init__(self, calls: AuditRepository):
        self._calls = calls

    async def follow(self, event: AdministratorActed) -> None:
        await self._calls.store(event.call)

    async def read(
        self, wanted: AuditFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditedCallState], str | None]:
        """As `AuditRepository.page_after`."""
        return await self._calls.page_after(wanted, cursor=cursor, limit=limit)


def audit_group(audit: AuditService) -> Group:
    return Group(GROUP, dict([on(AdministratorActed, audit.follow)]))
