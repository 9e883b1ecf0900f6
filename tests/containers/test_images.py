"""The images: what is in them, and each process alone in a container, as restricted as in production."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import aiohttp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.env_file import filled, values_of
from deploy.images.engine import ContainerEngine, NoEngine
from deploy.images.project import PROJECT, version
from deploy.local.install.environment import find_uv
from tests.containers.building import built
from tests.containers.containers import LIMITS, Container, output, running_engine
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

SERVICES = ("gateway", "session", "egress", "attendance")
MEDIA = ("recorder", "relay", "rtmp")
START_SECONDS, GRACE_SECONDS = 180, 25
LARGEST_BYTES = 250e6
NOT_INSIDE = ("pip", "pip3", "uv", "gcc", "cc", "make", "git", "curl", "secantusd-py", "ffmpeg")


@pytest.fixture(scope="module")
def engine() -> ContainerEngine:
    try:
        return running_engine()
    except NoEngine as none:
        pytest.skip(f"no container engine works here: {none}")


@pytest.fixture(scope="module")
def images(engine: ContainerEngine) -> dict[str, str]:
    return built(engine)


@pytest.fixture(scope="module")
def containers(engine: ContainerEngine, images: dict[str, str]) -> Iterator[dict[str, Container]]:
    """Every process at once, as in production; nothing that they depend on is there."""
    environment = production()
    started: dict[str, Container] = {}
    try:
        for process in (*SERVICES, *MEDIA):
            image = images["greenroom" if process in SERVICES else "greenroom-recorder"]
            started[process] = Container.start(engine, image, ["serve", process], environment)
        yield started
    finally:
        with ThreadPoolExecutor() as threads:
            list(threads.map(Container.remove, started.values()))


def production() -> dict[str, str]:
    """The settings that production needs, with new secrets; addresses where nothing listens."""
    values = {name: value.strip("'") for name, value in values_of(filled({}, datetime.now(UTC))).items()}
    secrets = (
        *("INTERNAL_SECRET", "REFRESH_SECRET", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "KEYRING"),
        *("IDENTITY_SIGNING_KID", "IDENTITY_PRIVATE_KEY", "IDENTITY_PUBLIC_KEYS"),
    )
    broker = f"amqp://greenroom:{values['RABBITMQ_PASSWORD']}@127.0.0.1:5672/"
    return {f"GREENROOM_{name}": values[name] for name in secrets} | {"GREENROOM_AMQP_URL": broker}


@pytest.mark.parametrize("process", [*SERVICES, *MEDIA])
async def test_a_process_in_its_container(containers: dict[str, Container], process: str) -> None:
    """It answers from outside, is not root, writes nowhere but where it may, and ends in order on SIGTERM."""
    container = containers[process]
    await eventually(lambda: answer_of(container), lambda answer: answer == 200, START_SECONDS)
    assert container.execute("greenroom", "healthcheck", "--timeout", "30").returncode == 0
    status = container.execute("cat", "/proc/1/status").stdout
    assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert container.execute("touch", "/opt/greenroom/new").returncode != 0
    for folder in ("/tmp", "/var/lib/greenroom/storage"):  # noqa: S108
        assert container.execute("touch", f"{folder}/new").returncode == 0, folder
    exit_status = container.stop(GRACE_SECONDS)
    assert exit_status == 0, output(container.engine, "logs", container.id)


async def answer_of(container: Container) -> int | str:
    """The status of /healthz, asked from outside; a refusal in words."""
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://{container.address}/healthz", timeout=aiohttp.ClientTimeout(10)) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"{error}\n{output(container.engine, 'logs', container.id)}"


def test_a_process_that_does_not_answer_is_unhealthy(engine: ContainerEngine, images: dict[str, str]) -> None:
    container = Container.start(engine, images["greenroom"], ["healthcheck"], {})
    try:
        assert output(engine, "wait", container.id) == "1"
    finally:
        container.remove()


@pytest.mark.parametrize("target", ["greenroom", "greenroom-recorder"])
def test_what_an_image_says_of_itself(engine: ContainerEngine, images: dict[str, str], target: str) -> None:
    image = json.loads(output(engine, "image", "inspect", images[target]))[0]
    config = image["Config"]
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["greenroom"]
    assert (labels["version"], labels["licenses"]) == (version(), "Apache-2.0")
    health = config.get("Healthcheck") or image["Healthcheck"]  # Docker's place, and Podman's
    assert health["Test"] == ["CMD", "greenroom", "healthcheck"]
    assert "GREENROOM_ENVIRONMENT=production" in config["Env"]
    assert not [
        variable for variable in config["Env"] if re.search("PROXY|INDEX|CERT|SECRET", variable, re.I)
    ]


def test_the_image_of_the_services_is_small(engine: ContainerEngine, images: dict[str, str]) -> None:
    size = engine.size(images["greenroom"])
    assert size is not None
    assert size < LARGEST_BYTES, f"{size / 1e6:.0f} MB"


INSIDE = f"""
import importlib.metadata, importlib.util, json, platform, shutil
found = importlib.metadata.distributions()
modules = ("deploy.local", "deploy.demo", "tests")
print(json.dumps({{
    "python": platform.python_version(),
    "packages": [(package.name, package.version) for package in found],
    "modules": [name for name in modules if importlib.util.find_spec(name)],
    "programs": [name for name in {NOT_INSIDE!r} if shutil.which(name)],
}}))
"""


@pytest.mark.parametrize(
    ("target", "options"), [("greenroom", []), ("greenroom-recorder", ["--extra", "recorder"])]
)
def test_the_locked_packages_are_inside_and_nothing_of_development(
    engine: ContainerEngine, images: dict[str, str], target: str, options: list[str]
) -> None:
    command = ["run", "--rm", *LIMITS, "--entrypoint", "python", images[target], "-c", INSIDE]
    inside = json.loads(output(engine, *command).splitlines()[-1])
    packages = {canonicalize_name(name): version for name, version in inside["packages"]}
    assert packages == {"greenroom": version(), **locked(options, inside["python"])}
    assert (inside["modules"], inside["programs"]) == ([], [])


def locked(options: list[str], python: str) -> dict[str, str]:
    """The packages of the lock file that are for this Python, with their versions."""
    command = [str(find_uv()), "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project"]
    text = subprocess.check_output([*command, "--no-hashes", *options], cwd=PROJECT, text=True)
    lines = [Requirement(line) for line in text.splitlines() if not line.lstrip().startswith("#")]
    environment = {"python_full_version": python}
    chosen = [line for line in lines if line.marker is None or line.marker.evaluate(environment)]
    return {line.name: str(line.specifier).removeprefix("==") for line in chosen}
