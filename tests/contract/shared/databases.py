"""A database of a test's own on the stack's server, gone when the test is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from pymongo import MongoClient

from shared.ids import new_id
from shared.persistence.mongo import Mongo


@contextmanager
def database_of_its_own(server: str) -> Iterator[Mongo]:
    """A fresh database beside the one that `server`, a URI, names."""
    with fresh_database(server) as uri:
        mongo = Mongo.from_uri(uri)
        try:
            yield mongo
        finally:
            mongo.close()


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URI of such a database."""
    name = f"test_{new_id().replace('-', '')}"
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with MongoClient[dict[str, object]](server) as client:
            client.drop_database(name)
