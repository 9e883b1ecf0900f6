"""The first administrator, whom the settings name: recorded before and after, like what administrators do."""

from typing import Final

from services.session.identity.accounts.service import AccountService, FirstAdministrator
from shared.contracts.states import AuditOutcome
from shared.http.audit import AuditTrail

_OPERATION: Final = "GREENROOM_BOOTSTRAP_ADMIN_EMAIL"
_ACTOR: Final = "settings:session"
_CREATED, _CONFLICT = 201, 409


async def ensure_first_administrator(
    accounts: AccountService, trail: AuditTrail, first: FirstAdministrator
) -> None:
    """Make them, unless somebody has the address. Raises `Unavailable`."""
    if await accounts.has(first.email):
        return
    async with trail.recorded(trail.new(_OPERATION, _ACTOR)) as audited:
        await audited.begin(None)
        user, created = await accounts.create_first_administrator(first)
        if created:
            audited.creates = [user.id]
            await audited.over(AuditOutcome.DONE, _CREATED)
        else:  # another replica, which started at the same time, was faster
            await audited.over(AuditOutcome.REFUSED, _CONFLICT, "email_taken")
