"""What administrators did, by every service that has operations; the session service keeps it."""

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.states import AuditedCallState


class AdministratorActed(Event):
    """A call or command began, or is over: the newest `version` of it counts."""

    name: ClassVar[str] = "administrator.acted.v1"
    call: AuditedCallState

    @property
    def key(self) -> str:
        return self.call.id
