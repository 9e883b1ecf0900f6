"""The one-command stack with settings from the environment: LiveKit's own workers, a storage that is S3's.

Each process is also started once more by itself, with nothing but the settings that the documentation has.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import yaml

from deploy.local.control import start_detached, stop
from deploy.local.data_dir import DataDir
from deploy.local.stack import Stack
from shared.files.storage import Storage
from tests.bench.api import Api, connect
from tests.bench.ports import free_port
from tests.replica import replica, settings_of
from tests.running_stack import RunningStack
from tests.s3_server import Bucket, s3_bucket

START_SECONDS = 120.0
DOCUMENT = Path(__file__).parents[2] / "docs" / "operations" / "processes.md"
PROCESSES = ("session", "egress", "attendance", "gateway", "recorder", "relay")
SETTINGS = {
    "GREENROOM_ENGINE": "livekit",
    "GREENROOM_INGEST": "livekit",
    "GREENROOM_BOOTSTRAP_ADMIN_EMAIL": "me@greenroom.example",
    "GREENROOM_BOOTSTRAP_ADMIN_PASSWORD": "kX2vQ9mZ4tR7wB1n",
    "GREENROOM_SMTP_URL": "smtp://127.0.0.1:9",
    "GREENROOM_MAIL_FROM": "me@greenroom.example",
    "GREENROOM_CHAT_FILE_LIMIT_BYTES": "2048",
}

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Started:
    """A stack that was started with SETTINGS, what it said, and the bucket that is its storage."""

    data: DataDir
    stack: Stack
    said: str
    bucket: Bucket

    @property
    def storage_url(self) -> str:
        return self.bucket.storage_url("live")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    home = tmp_path_factory.mktemp("settings")
    data, said = DataDir.at(home / "data"), list[str]()
    with s3_bucket() as bucket:
        (home / "greenroom.yaml").write_text(f"storage_url: {bucket.storage_url('live')}\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GREENROOM_CONFIG", str(home / "greenroom.yaml"))
            patch.setenv("GREENROOM_STORAGE_OPTIONS", bucket.options)
            for name, value in SETTINGS.items():
                patch.setenv(name, value)
            stack = start_detached(data, 0, START_SECONDS, said.append, tied=True)
        yield Started(data, stack, "".join(said), bucket)
        stop(data)


def test_what_is_used_is_said_at_the_start(started: Started) -> None:
    assert "using GREENROOM_ENGINE=livekit from the environment" in started.said
    assert f"using GREENROOM_STORAGE_URL={started.storage_url}" in started.said
    assert SETTINGS["GREENROOM_BOOTSTRAP_ADMIN_PASSWORD"] not in started.said


def test_what_others_do_is_not_started(started: Started) -> None:
    assert not {"recorder", "relay", "rtmp", "mail"} & set(started.stack.processes)
    assert started.stack.mail_url is None


def test_livekits_workers_find_the_redis_and_the_keys_in_the_configurations(started: Started) -> None:
    for name in ("egress", "ingress"):
        file = started.data.data_of("livekit") / f"{name}.yaml"
        assert f"{name} --config {file}" in started.said
        config = yaml.safe_load(file.read_text())
        assert config["redis"]["address"] == f"127.0.0.1:{started.stack.processes['redis'].port}"
        assert config["api_secret"] == started.stack.livekit_api_secret


async def test_encoders_are_sent_to_livekit_ingress(started: Started) -> None:
    ingress = yaml.safe_load((started.data.data_of("livekit") / "ingress.yaml").read_text())
    async with connect(started.stack) as api:
        opened = await start_session(api, "rtmp")
        assert opened["rtmp_setup"]["server"] == f"rtmp://127.0.0.1:{ingress['rtmp_port']}/live"


async def test_files_go_to_the_given_storage(started: Started) -> None:
    async with connect(started.stack) as api:
        session_id = (await start_session(api, "webcam"))["session"]["id"]
        path, headers = f"/sessions/{session_id}/chat/files", {"Authorization": f"Bearer {api.token}"}
        small, large = b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(2048)
        statuses = [await upload(api.http, path, headers, content) for content in (small, large)]
    assert statuses == [201, 413]
    storage = Storage.from_url(started.storage_url, json.loads(started.bucket.options))
    stored = [one.key async for one in storage.list("chat")]
    assert [[piece async for piece in storage.read(key)] for key in stored] == [[small]]


async def test_the_administrator_is_the_given_one(started: Started) -> None:
    login = {name: SETTINGS[f"GREENROOM_BOOTSTRAP_ADMIN_{name.upper()}"] for name in ("email", "password")}
    assert started.stack.admin.model_dump() == login
    async with connect(started.stack) as api:
        assert (await api.call("POST", "/auth/login", login, token=""))["user"]["email"] == login["email"]


def documented(name: str) -> dict[str, str]:
    """The settings in the documentation's file of this name."""
    block = re.search(rf"```sh\n# {name}\.env\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert block is not None, name
    lines = [line.partition("=") for line in block[1].splitlines()]
    return {variable: value.strip("'") for variable, _, value in lines}


async def test_each_process_starts_with_what_the_documentation_gives_it(
    started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("GREENROOM_")]:
        monkeypatch.delenv(variable)
    await asyncio.gather(*(starts_and_stops(started, name, tmp_path) for name in PROCESSES))


async def starts_and_stops(started: Started, name: str, folder: Path) -> None:
    """Values are this installation's; names are the documentation's alone."""
    port = free_port()
    own = known_settings(started, name) | {
        "GREENROOM_HOST": "127.0.0.1",
        "GREENROOM_PORT": str(port),
        "GREENROOM_READINESS_DELAY_SECONDS": "0",
        "GREENROOM_SPOOL": str(folder / name),
    }
    given = documented("common") | documented(name)
    settings = {variable: own.get(variable, value) for variable, value in given.items()}
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        async with replica(
            f"deploy.cli serve {name}", port, settings, output=output, stop_seconds=30
        ) as process:
            assert process.returncode is None
    assert process.returncode == 0, log.read_text()


def known_settings(started: Started, name: str) -> dict[str, str]:
    """Those of a process of the stack; of one that it does not run, those that others have."""
    running = RunningStack(started.data)
    if name in started.stack.processes:
        return settings_of(running, name)
    others = settings_of(running, "session") | settings_of(running, "attendance")
    return others | settings_of(running, "egress") | {"GREENROOM_LIVEKIT_URL": started.stack.livekit_url}


async def start_session(api: Api, mode: str) -> dict[str, dict[str, str]]:
    body = {"title": "Settings", "preset_id": await api.preset(), "mode": mode}
    made = await api.call("POST", f"/rooms/{await api.room()}/sessions", body)
    opened: dict[str, dict[str, str]] = await api.call("POST", f"/sessions/{made['session']['id']}/start")
    return opened


async def upload(http: aiohttp.ClientSession, path: str, headers: dict[str, str], content: bytes) -> int:
    query = {"name": "notes.pdf"}
    async with http.post(
        path, params=query, data=content, headers=headers | {"Content-Type": "application/pdf"}
    ) as answer:
        return answer.status
