"""The services' databases, with each one's own settings (GREENROOM_… or YAML). No service needs to run."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TypeVar

from aiohttp import web

from shared.errors import Unavailable
from shared.persistence.lifetime import DATABASE, Database
from shared.runtime.backoff import until_available
from shared.runtime.settings import ServiceSettings, load

S = TypeVar("S", bound=ServiceSettings)


class DataService(StrEnum):
    """The services that have a database of their own."""

    SESSION = "session"
    EGRESS = "egress"
    ATTENDANCE = "attendance"


async def make_indexes(service: DataService, seconds: float) -> list[str]:
    """Make the indexes that the service makes when it starts; those that were missing, as "collection.index".

    Services of this release and of the last may run meanwhile. Raises `Unavailable` if the database does not
    answer, or is not done, within `seconds`, `Duplicate` if what is stored breaks a unique index, and
    `SettingsRefused`.
    """
    database = _built(service)[DATABASE]
    try:
        async with asyncio.timeout(seconds):
            return await _make_missing(database)
    except TimeoutError:
        raise Unavailable(f"The database of {service} was not ready within {seconds:g} s") from None
    finally:
        database.mongo.close()


async def _make_missing(database: Database) -> list[str]:
    before = await until_available("mongodb", database.mongo.indexes)
    await database.prepare()
    return [
        f"{collection}.{index['name']}"
        for collection, index in await database.mongo.indexes()
        if (collection, index) not in before
    ]


def _built(service: DataService) -> web.Application:
    """The service as it would run; nothing of it is started. Each import brings the whole service."""
    match service:
        case DataService.SESSION:
            from services.session import app as session
            from services.session.settings import SessionSettings

            return session.build(_without_files(load(SessionSettings)))
        case DataService.EGRESS:
            from services.egress import app as egress
            from services.egress.settings import EgressSettings

            return egress.build(_without_files(load(EgressSettings)))
        case DataService.ATTENDANCE:
            from services.attendance import app as attendance
            from services.attendance.settings import AttendanceSettings

            return attendance.build(load(AttendanceSettings))


def _without_files(settings: S) -> S:
    """Building a service makes the directory of its storage, which may not be mounted here."""
    return settings.model_copy(update={"storage_url": "memory:"})
