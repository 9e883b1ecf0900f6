"""What administrators did, for the audit log."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.contracts.states.people_and_catalog import State


class AuditOutcome(StrEnum):
    """`begun`: its end is not known, since it runs still or its process died. `refused`: by a rule of ours.
    `failed`: by a fault.
    """

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


# Of text in a body the audit log has the name of its field alone.
NOT_KEPT = "(not kept)"


class AuditedCallState(State):
    """A call or command that changes something; `version` is 1 when it begins and 2 when it is over.

    `actor` is `user:<id>`, `key:<id>`, `command:<user of the system>@<machine>` or `settings:<service>`;
    `targets` are the ids in its path and of what it created. `fields` are those of its body: switches,
    choices and numbers with their value, of text the name alone. `status` is HTTP's, `code` the refusal's.
    """

    id: str
    version: int
    at: datetime
    ended_at: datetime | None = None
    service: str
    operation: str
    actor: str
    actor_name: str | None = None
    targets: list[str] = Field(default_factory=list)
    fields: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    outcome: AuditOutcome
    status: int | None = None
    code: str | None = None
    client_address: str | None = None
    request_id: str | None = None
