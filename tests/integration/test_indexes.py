"""`greenroom indexes`: beside the running services, on a database that has nothing yet."""

import asyncio
import os
import sys

import pytest

from shared.persistence.mongo import Document, Mongo
from tests.bench.ports import free_port
from tests.contract.shared.databases import fresh_database
from tests.replica import settings_of
from tests.running_stack import RunningStack

SERVICES = ("session", "egress", "attendance")
SECONDS = 60
URI = "GREENROOM_MONGODB_URI"


async def make_indexes(service: str, settings: dict[str, str], *options: str) -> tuple[int, str, str]:
    """The command's exit status and output."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "indexes", service, *options),
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(SECONDS):
        output, errors = await command.communicate()
    return command.returncode or 0, output.decode(), errors.decode()


async def indexes_in(uri: str) -> list[tuple[str, Document]]:
    mongo = Mongo.from_uri(uri)
    try:
        return await mongo.indexes()
    finally:
        mongo.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_an_empty_database_gets_what_the_service_itself_makes(
    running_stack: RunningStack, service: str
) -> None:
    settings = settings_of(running_stack, service)
    made_by_service = await indexes_in(settings[URI])
    with fresh_database(settings[URI]) as empty:
        settings |= {URI: empty, "GREENROOM_AMQP_URL": f"amqp://nobody@127.0.0.1:{free_port()}/"}
        both = await asyncio.gather(make_indexes(service, settings), make_indexes(service, settings))
        assert [status for status, _, _ in both] == [0, 0], both
        assert await indexes_in(empty) == made_by_service
        printed = {line for _, output, _ in both for line in output.splitlines() if ":" not in line}
        assert printed == {f"{collection}.{index['name']}" for collection, index in made_by_service}
        assert await make_indexes(service, settings) == (0, f"{service}: every index is there.\n", "")


async def test_a_database_that_does_not_answer_is_waited_for_and_no_longer(
    running_stack: RunningStack,
) -> None:
    away = settings_of(running_stack, "attendance") | {URI: f"mongodb://127.0.0.1:{free_port()}/away"}
    status, _, errors = await make_indexes("attendance", away, "--wait", "1")
    assert status == 1
    assert "The database of attendance was not ready within 1 s" in errors
