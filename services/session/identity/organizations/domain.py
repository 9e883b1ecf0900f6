"""An organization."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(kw_only=True)
class Organization:
    """A tenant; its default library is made with it."""

    id: str
    version: int = 1
    name: str
    default_library_id: str
    created_at: datetime
    updated_at: datetime
