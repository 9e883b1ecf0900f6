"""How the database answers a read: which index it uses, and how many documents it looks at."""

from shared.persistence.mongo import Collection, Document, Sort


async def explain(
    collection: Collection, query: Document, *, sort: Sort | None = None, skip: int = 0, limit: int = 0
) -> Document:
    """The server's execution statistics for this read."""
    find: Document = {"find": collection.name, "filter": query}
    if sort:
        find["sort"] = dict(sort)
    if skip:
        find["skip"] = skip
    if limit:
        find["limit"] = limit
    command = {"explain": find, "verbosity": "executionStats"}
    plan: Document = await collection._collection.database.command(command)
    return plan
