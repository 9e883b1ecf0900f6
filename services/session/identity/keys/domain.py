"""An API key."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.access.identity import Scope


@dataclass(kw_only=True)
class ApiKey:
    """Acts for `user_id`, within its scopes.

    The secret must also sign tokens, so it is kept encrypted, not hashed.
    """

    id: str
    version: int = 1
    organization_id: str
    user_id: str
    name: str
    sealed_secret: str = field(repr=False)
    scopes: list[Scope] = field(default_factory=lambda: list(Scope))
    created_at: datetime
    updated_at: datetime
