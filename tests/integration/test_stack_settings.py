"""The one-command stack with settings from the environment of whoever starts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import yaml

from deploy.local.control import start_detached, stop
from deploy.local.data_dir import DataDir
from deploy.local.stack import Stack
from tests.bench.api import Api, connect

START_SECONDS = 120.0
SETTINGS = {
    "GREENROOM_ENGINE": "livekit",
    "GREENROOM_INGEST": "livekit",
    "GREENROOM_BOOTSTRAP_ADMIN_EMAIL": "me@greenroom.example",
    "GREENROOM_BOOTSTRAP_ADMIN_PASSWORD": "a password of mine",
    "GREENROOM_SMTP_URL": "smtp://127.0.0.1:9",
    "GREENROOM_MAIL_FROM": "me@greenroom.example",
    "GREENROOM_CHAT_FILE_LIMIT_BYTES": "2048",
}

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Started:
    """A stack that was started with SETTINGS, what it said, and the folder that is its storage."""

    data: DataDir
    stack: Stack
    said: str
    storage: Path


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    home = tmp_path_factory.mktemp("settings")
    data, storage, said = DataDir.at(home / "data"), home / "storage", list[str]()
    (home / "greenroom.yaml").write_text(f"storage_url: {storage.as_uri()}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GREENROOM_CONFIG", str(home / "greenroom.yaml"))
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        stack = start_detached(data, 0, START_SECONDS, said.append, tied=True)
    yield Started(data, stack, "".join(said), storage)
    stop(data)


def test_what_is_used_is_said_at_the_start(started: Started) -> None:
    assert "using GREENROOM_ENGINE=livekit from the environment" in started.said
    assert f"using GREENROOM_STORAGE_URL={started.storage.as_uri()}" in started.said
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
    assert [file.read_bytes() for file in started.storage.rglob("*") if file.is_file()] == [small]


async def test_the_administrator_is_the_given_one(started: Started) -> None:
    login = {"email": "me@greenroom.example", "password": "a password of mine"}
    assert started.stack.admin.model_dump() == login
    async with connect(started.stack) as api:
        assert (await api.call("POST", "/auth/login", login, token=""))["user"]["email"] == login["email"]


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
