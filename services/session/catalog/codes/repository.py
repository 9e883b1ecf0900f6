"""Where room codes are kept."""

from services.session.catalog.codes.domain import RoomCode
from shared.persistence.mongo import ASCENDING, Index
from shared.persistence.repository import Repository


class RoomCodeRepository(Repository[RoomCode]):
    collection_name = "room_codes"
    noun = "room_code"
    entity = RoomCode
    indexes = (Index([("room_id", ASCENDING), ("role", ASCENDING)], unique=True),)

    async def list_of_room(self, room_id: str) -> list[RoomCode]:
        return await self.list_where({"room_id": room_id})

    async def discard_of_room(self, room_id: str) -> None:
        await self.collection.delete_many({"room_id": room_id})
