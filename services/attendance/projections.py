"""Keeping the newest version of a state that another service owns."""

from collections.abc import Mapping

from shared.persistence.mongo import Collection, Document, UpdateOne


async def save_newer(collection: Collection, documents: Mapping[str, Document]) -> None:
    """Store each document (by id, with its `version`) unless a version as new is there already."""
    operations = [
        UpdateOne({"_id": id_, "version": {"$lt": document["version"]}}, {"$set": document}, upsert=True)
        for id_, document in documents.items()
    ]
    # What is not newer matches nothing and is refused as a second insert. So may be a newer one that
    # raced the first insert of its id: hence once more, when the id is surely there.
    refused = (await collection.bulk(operations)).duplicates
    await collection.bulk([operations[position] for position in refused])
