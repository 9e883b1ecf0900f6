"""What a session holds of people, beside their roles and places on stage."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Ban:
    """Who may not come in any more: since when, by whom, and why."""

    banned_by: str
    reason: str | None
    banned_at: datetime
