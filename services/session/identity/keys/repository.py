"""API keys, and where they are kept."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.access.identity import Scope
from shared.persistence.mongo import ASCENDING, DESCENDING, Index
from shared.persistence.repository import Repository


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

    def may(self, *scopes: Scope) -> bool:
        """Whether it has all of these."""
        return set(scopes) <= set(self.scopes)


class ApiKeyRepository(Repository[ApiKey]):
    collection_name = "api_keys"
    noun = "api_key"
    entity = ApiKey
    indexes = (
        Index([("organization_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("user_id", ASCENDING)]),
    )

    async def sealed_secrets(self) -> dict[str, str]:
        """The sealed secret of every key, by the key's id."""
        documents = await self.collection.find({}, fields=["sealed_secret"])
        return {document["_id"]: document["sealed_secret"] for document in documents}
