"""The one-command stack on the real processes: up, down, status, deaths, Ctrl-C, two at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from deploy.local.control import start_detached, stop, supervisor_command
from deploy.local.data_dir import DataDir, supervisor_of
from deploy.local.stack import Phase, Stack, StackState
from tests.running_stack import RunningStack

START_SECONDS = 120.0
READY_SECONDS = 15.0
EVERYTHING = {
    *("mongodb-session", "mongodb-egress", "mongodb-attendance", "epmd", "rabbitmq", "redis", "livekit"),
    *("session", "egress", "attendance", "recorder", "rtmp", "relay", "gateway", "mail"),
}

pytestmark = pytest.mark.timeout(300)


def greenroom(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", *arguments]
    env = {**os.environ, **environ}
    return subprocess.run(
        command, capture_output=True, text=True, env=env, timeout=START_SECONDS, check=False
    )


def start(data: DataDir) -> Stack:
    return start_detached(data, 0, START_SECONDS, lambda _: None, tied=True)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not reaped yet does not."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(told.stdout.strip()) and not told.stdout.strip().startswith("Z")


def all_gone(pids: list[int], *, within: float) -> bool:
    deadline = time.monotonic() + within
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def pids_of(stack: Stack) -> list[int]:
    return [process.pid for process in stack.processes.values()]


@pytest.fixture(scope="module")
def other_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDir]:
    """The data directory of a second stack, which these tests start and stop as they like."""
    data = DataDir.at(tmp_path_factory.mktemp("other"))
    yield data
    stop(data)


@pytest.fixture
def other(other_data: DataDir) -> RunningStack:
    """The second stack, running."""
    if supervisor_of(other_data) is None:
        start(other_data)
    return RunningStack(other_data)


async def test_stack_json_tells_where_everything_is(other: RunningStack) -> None:
    told = json.loads(other.data.stack_file.read_text())
    assert Stack.model_validate(told) == other.info
    assert set(told["processes"]) == EVERYTHING
    assert other.data.stack_file.stat().st_mode & 0o077 == 0
    async with aiohttp.ClientSession(told["base_url"]) as http, http.get("/healthz") as answer:
        assert answer.status == 200


async def test_the_host_and_the_key_of_stack_json_work(other: RunningStack) -> None:
    stack = other.info
    async with aiohttp.ClientSession(stack.base_url) as http:
        async with http.post("/auth/login", json=stack.host.model_dump()) as answer:
            user = (await answer.json())["data"]["user"]
            assert (answer.status, user["email"]) == (200, stack.host.email)
        key = {"X-API-Key": f"{stack.api_key.id}.{stack.api_key.secret}"}
        async with http.get("/auth/me", headers=key) as answer:
            assert (await answer.json())["data"]["email"] == stack.host.email


async def test_two_stacks_run_side_by_side(running_stack: RunningStack, other: RunningStack) -> None:
    one, two = running_stack.info, other.info
    ports = [{process.port for process in stack.processes.values()} for stack in (one, two)]
    assert not ports[0] & ports[1]
    assert not set(pids_of(one)) & set(pids_of(two))
    async with aiohttp.ClientSession() as http:
        foreign = await http.post(f"{one.base_url}/auth/login", json=two.host.model_dump())
        assert foreign.status == 401


@pytest.mark.parametrize("name", ["redis", "rabbitmq", "livekit", "mongodb-session", "egress", "gateway"])
async def test_a_killed_component_comes_back_on_its_port(other: RunningStack, name: str) -> None:
    before = other.info.processes[name]
    await other.restart(name)
    after = other.info.processes[name]
    assert (after.port, other.state(name).phase) == (before.port, Phase.READY)
    assert after.pid != before.pid
    log = other.data.log_of("supervisor").read_text()
    assert f"{name} ended with signal 9; starting it again in" in log


async def test_a_held_component_stays_down_until_it_is_released(other: RunningStack) -> None:
    async with other.held("attendance"):
        assert other.state("attendance").pid is None
        assert greenroom("status", "--data-dir", str(other.data.root)).returncode == 1
    assert other.state("attendance").phase is Phase.READY


def test_status_tells_of_every_component(other: RunningStack) -> None:
    told = greenroom("status", "--json", "--data-dir", str(other.data.root))
    report = json.loads(told.stdout)
    assert {component["name"]: component["state"] for component in report["components"]} == dict.fromkeys(
        EVERYTHING, "ready"
    )
    assert (told.returncode, report["ready"]) == (0, True)


def test_up_on_a_running_stack_says_so(other: RunningStack) -> None:
    supervisor = supervisor_of(other.data)
    again = greenroom("up", "--data-dir", str(other.data.root))
    assert again.returncode == 0
    assert f"already runs on {other.data.root} (process {supervisor})" in again.stdout
    assert other.info.base_url in again.stdout


def test_down_leaves_nothing_and_the_next_start_is_the_same_stack_and_quick(other: RunningStack) -> None:
    before = other.info
    assert greenroom("down", "--data-dir", str(other.data.root)).returncode == 0
    assert all_gone(pids_of(before), within=0)
    assert not other.data.stack_file.exists()
    assert greenroom("status", "--data-dir", str(other.data.root)).returncode == 3
    began = time.monotonic()
    after = start(other.data)
    assert time.monotonic() - began < READY_SECONDS * slowness()
    assert after.model_dump(exclude={"processes"}) == before.model_dump(exclude={"processes"})


def slowness() -> float:
    """Other work on this machine makes a start slower; the promise is for one that is free."""
    return max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


def test_ctrl_c_stops_everything_in_the_foreground(other_data: DataDir) -> None:
    stop(other_data)
    command = supervisor_command(other_data, 0, START_SECONDS)
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(other_data.stack_file, supervisor)
        pids = pids_of(Stack.load(other_data.stack_file))
    finally:
        supervisor.send_signal(signal.SIGINT)
        told, _ = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 0, told
    assert all_gone(pids, within=0)
    assert not other_data.stack_file.exists()


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not file.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_a_killed_supervisor_leaves_nothing(other: RunningStack) -> None:
    pids = pids_of(other.info)
    os.kill(supervisor_of(other.data) or 0, signal.SIGKILL)
    assert all_gone(pids, within=10)
    assert supervisor_of(other.data) is None


def test_after_such_an_end_the_stack_starts_again(other: RunningStack) -> None:
    components = StackState.load(other.data.state_file).components
    assert {component.phase for component in components.values()} == {Phase.READY}


def test_a_component_that_cannot_start_fails_the_start_with_its_words(tmp_path: Path) -> None:
    data = DataDir.at(tmp_path)
    failed = greenroom(
        "up", "--detach", "--port", "0", "--data-dir", str(data.root), GREENROOM_LOG_FORMAT="nonsense"
    )
    assert failed.returncode == 1
    assert "does not start" in failed.stdout
    assert "GREENROOM_LOG_FORMAT" in failed.stdout
    assert supervisor_of(data) is None
    components = StackState.load(data.state_file).components.values()
    assert {component.pid for component in components} == {None}


def test_a_missing_program_is_named_with_its_command(tmp_path: Path) -> None:
    """Neither on PATH nor in the cache: the Python of the environment is named by its full path."""
    failed = greenroom("up", "--data-dir", str(tmp_path), PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert failed.returncode == 1
    assert "livekit-server is missing; install it with: make install" in failed.stderr
    assert greenroom("doctor", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path)).returncode == 1


def test_a_busy_port_is_refused(tmp_path: Path, running_stack: RunningStack) -> None:
    port = running_stack.info.processes["gateway"].port
    failed = greenroom("up", "--port", str(port), "--data-dir", str(tmp_path))
    assert failed.returncode == 1
    assert f"port {port} is already in use" in failed.stderr
