"""Organizations, and where they are kept."""

from dataclasses import dataclass
from datetime import datetime

from shared.persistence.mongo import Document
from shared.persistence.repository import Repository


@dataclass(kw_only=True)
class Organization:
    """A tenant; its default library is made with it."""

    id: str
    version: int = 1
    name: str
    default_library_id: str
    created_at: datetime
    updated_at: datetime


class OrganizationRepository(Repository[Organization]):
    collection_name = "organizations"
    noun = "organization"
    entity = Organization


def of_organization(id: str | None) -> Document:
    """The query for what belongs to one organization; for everything without one."""
    return {"organization_id": id} if id else {}
