"""Where presets are kept, and which one is each host's default in a library."""

from collections.abc import Sequence

from services.session.catalog.presets.domain import Preset
from shared.clock import Clock
from shared.persistence.batching import ReadBatcher
from shared.persistence.mongo import ASCENDING, DESCENDING, Document, Index, Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.repository import Repository


class PresetRepository(Repository[Preset]):
    collection_name = "presets"
    noun = "preset"
    entity = Preset
    indexes = (
        Index([("user_id", ASCENDING), ("_id", DESCENDING)]),
        Index([("user_id", ASCENDING), ("library_id", ASCENDING), ("_id", DESCENDING)]),
    )

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock):
        super().__init__(mongo, outbox, clock)
        # One document a host and library, so that two presets can never both be the default.
        self._defaults = mongo.collection("preset_defaults")
        self._reads_of_defaults = ReadBatcher(self._read_defaults, "preset_defaults")

    async def list_of_user(
        self, user_id: str, library_id: str | None, skip: int, limit: int
    ) -> tuple[list[Preset], int]:
        query: Document = {"user_id": user_id}
        if library_id:
            query["library_id"] = library_id
        return await self.page(query, skip=skip, limit=limit)

    async def set_default(self, preset: Preset) -> None:
        await self._defaults.update(
            {"_id": _default_key(preset)}, {"$set": {"preset_id": preset.id}}, upsert=True
        )

    async def unset_default(self, preset: Preset) -> None:
        await self._defaults.delete_many({"_id": _default_key(preset), "preset_id": preset.id})

    async def find_default(self, user_id: str, library_id: str) -> Preset | None:
        """The host's default in the library."""
        preset_id = await self._reads_of_defaults.one(_key(user_id, library_id))
        return await self.find(preset_id) if preset_id else None

    async def defaults_among(self, presets: list[Preset]) -> frozenset[str]:
        """The ids of those that are their host's default."""
        defaults = await self._reads_of_defaults.many(_default_key(preset) for preset in presets)
        return frozenset(defaults.values()) & {preset.id for preset in presets}

    async def _read_defaults(self, keys: Sequence[str]) -> dict[str, str]:
        documents = await self._defaults.find({"_id": {"$in": list(keys)}})
        return {document["_id"]: document["preset_id"] for document in documents}


def _default_key(preset: Preset) -> str:
    return _key(preset.user_id, preset.library_id)


def _key(user_id: str, library_id: str) -> str:
    return f"{user_id}:{library_id}"
