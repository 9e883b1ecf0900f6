"""How the database answers a read: which index it uses, and how many documents it looks at."""

from collections.abc import Iterator, Sequence

from shared.persistence.mongo import Collection, Document, Mongo, Sort


class Asked:
    """A read that a repository made."""

    def __init__(self, query: Document, sort: Sort, skip: int, limit: int):
        self.query, self.sort = query, list(sort)
        self.skip, self.limit = skip, limit


class Watched(Collection):
    """A collection that remembers the reads of it."""

    def __init__(self, inner: Collection):
        super().__init__(inner._collection)
        self.asked: list[Asked] = []

    async def find(
        self,
        query: Document,
        *,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
        fields: Sequence[str] | None = None,
    ) -> list[Document]:
        self.asked.append(Asked(query, sort or (), skip, limit))
        return await super().find(query, sort=sort, skip=skip, limit=limit, fields=fields)


class WatchedMongo(Mongo):
    def __init__(self, mongo: Mongo):
        self._mongo = mongo

    def collection(self, name: str) -> Collection:
        return Watched(self._mongo.collection(name))


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


def stages_of(plan: Document) -> Iterator[str]:
    yield plan["stage"]
    if "inputStage" in plan:
        yield from stages_of(plan["inputStage"])
