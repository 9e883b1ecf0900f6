"""The reporter: state.json for status, stack.json with the current processes."""

from __future__ import annotations

import io
from pathlib import Path

from deploy.local.console import Console
from deploy.local.data_dir import DataDir
from deploy.local.stack import DatabaseUris, Phase, Stack, StackApiKey, StackLogin, StackState
from deploy.local.supervisor.reporter import StateReporter
from tests.unit.deploy.fakes import component

SIGN_IN = StackLogin(email="host@greenroom.example", password="word")
STACK = Stack(
    base_url="http://127.0.0.1:8080",
    livekit_url="ws://127.0.0.1:7880",
    livekit_api_key="key",
    livekit_api_secret="secret",
    mongodb=DatabaseUris(session="mongodb://a", egress="mongodb://b", attendance="mongodb://c"),
    amqp_url="amqp://broker",
    redis_url="redis://cache",
    mail_url="http://127.0.0.1:8025/",
    admin=SIGN_IN,
    host=SIGN_IN,
    organization_id="organization",
    library_id="library",
    api_key=StackApiKey(id="id", secret="secret"),
    processes={},
)


def reporter_on(tmp_path: Path) -> tuple[StateReporter, DataDir, io.StringIO]:
    data = DataDir.at(tmp_path)
    data.create()
    told = io.StringIO()
    components = [component("session"), component("gateway")]
    return StateReporter(data, components, Console(told), lambda: 1000.0), data, told


def test_the_state_follows_the_reports(tmp_path: Path) -> None:
    reporter, data, _ = reporter_on(tmp_path)
    reporter.starting("session", 7)
    state = StackState.load(data.state_file).components
    assert (state["session"].phase, state["session"].pid) == (Phase.STARTING, 7)
    assert state["gateway"].phase is Phase.WAITING


def test_the_stack_file_names_the_new_process_after_a_restart(tmp_path: Path) -> None:
    reporter, data, _ = reporter_on(tmp_path)
    reporter.starting("session", 7)
    reporter.ready("session", 0.1)
    reporter.publish(STACK)
    assert Stack.load(data.stack_file).processes["session"].pid == 7
    reporter.exited("session", -9, [], 1.0)
    reporter.starting("session", 8)
    reporter.ready("session", 0.1)
    assert Stack.load(data.stack_file).processes["session"].pid == 8
    assert StackState.load(data.state_file).components["session"].restarts == 1


def test_the_stack_file_has_exactly_the_promised_keys() -> None:
    assert set(STACK.model_dump()) == {
        *("base_url", "livekit_url", "livekit_api_key", "livekit_api_secret", "mongodb", "amqp_url"),
        *("redis_url", "mail_url", "admin", "host", "organization_id", "library_id", "api_key", "processes"),
    }


def test_a_withdrawn_stack_file_is_gone(tmp_path: Path) -> None:
    reporter, data, _ = reporter_on(tmp_path)
    reporter.publish(STACK)
    reporter.withdraw()
    reporter.withdraw()
    assert not data.stack_file.exists()


def test_a_death_is_told_with_its_status_and_last_lines(tmp_path: Path) -> None:
    reporter, _, told = reporter_on(tmp_path)
    reporter.exited("session", -9, ["it broke"], 2.0)
    assert "session ended with signal 9; starting it again in 2 s" in told.getvalue()
    assert "it broke" in told.getvalue()
