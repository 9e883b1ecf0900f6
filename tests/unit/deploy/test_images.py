"""Which engine builds the images, where the base comes from, and what a build is given."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from deploy.images import __main__ as command
from deploy.images import base, engine, project
from deploy.images.engine import ContainerEngine, EngineFailed, NoEngine

BASE = "docker.io/library/debian:bookworm-slim"


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_a_client_without_its_daemon_is_no_engine(programs: Path) -> None:
    program(programs, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    program(programs, "podman", "exit 0")
    assert engine.find().name == "podman"
    with pytest.raises(NoEngine, match="docker: Cannot connect to the Docker daemon"):
        engine.find("docker")


def test_without_an_engine_it_says_what_to_install(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([]) == 1
    said = capsys.readouterr().err
    assert all(f"{name}: not installed" in said for name in engine.NAMES)
    assert "apt-get install podman" in said


def test_a_build_is_given_what_the_network_needs(programs: Path, tmp_path: Path) -> None:
    calls, certificates = tmp_path / "calls", tmp_path / "own.crt"
    program(programs, "podman", f'printf "%s\\n" "$@" >> {calls}')
    certificates.touch()
    environ = {"HTTPS_PROXY": "http://proxy", "PIP_INDEX_URL": "https://mirror", "SECRET": "kept"}
    environ["SSL_CERT_FILE"] = str(certificates)
    project.build(
        ContainerEngine("podman"), "greenroom", ["r/greenroom:3", "r/greenroom:latest"], BASE, environ
    )
    given = calls.read_text().splitlines()
    assert {"HTTPS_PROXY=http://proxy", "PIP_INDEX_URL=https://mirror", "VERSION=3", f"BASE={BASE}"} <= {
        *given
    }
    assert f"id=ca-certificates,src={certificates}" in given
    tags = [tag for option, tag in pairwise(given) if option == "--tag"]
    assert tags == ["r/greenroom:3", "r/greenroom:latest"]
    assert "kept" not in calls.read_text()


def test_a_base_that_is_there_is_taken(programs: Path) -> None:
    program(programs, "podman", '[ "$1" = inspect ]')
    assert base.ensure(ContainerEngine("podman"), BASE) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (BASE, "debootstrap is not installed"),
        ("docker.io/library/debian:trixie-slim", "only bookworm is known"),
    ],
)
def test_a_base_that_cannot_be_had(programs: Path, name: str, reason: str) -> None:
    program(programs, "podman", '[ "$1" = pull ] && echo "no such host" >&2; exit 125')
    with pytest.raises(EngineFailed, match=rf"no such host\n.*{reason}"):
        base.ensure(ContainerEngine("podman"), name)
