"""`make scan`: what it says of vulnerabilities that are known, and of what it could not look at."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.images.engine import ContainerEngine, NoEngine
from deploy.scan import __main__ as scan

CLEAN = {"name": "aiohttp", "version": "3.13.0", "vulns": []}
BAD = {
    "name": "aiohttp",
    "version": "3.9.0",
    "vulns": [{"id": "PYSEC-2024-24", "fix_versions": ["3.9.2"], "aliases": ["CVE-2024-23334"]}],
}
UNKNOWN = {"name": "aio-pika", "skip_reason": "Dependency not found on PyPI"}
STATUS, RELEASE = "Package: openssl\n", "ID=debian\nVERSION_CODENAME=bookworm\n"


class Programs:
    """Stands in for all that is run: a program's name -> its exit status and what it writes."""

    def __init__(self, audited: list[dict[str, Any]], debian: str = "") -> None:
        self.answers: dict[str, tuple[int, str]] = {
            "uv": (0, "exported"),
            "pip-audit": (0, json.dumps({"dependencies": audited})),
            "debsecan": (0, debian),
            "podman": (0, "container\n"),
        }
        self.run: list[list[str]] = []

    def __call__(self, command: list[str], *, accepted: tuple[int, ...] = (0,)) -> str:
        self.run.append(command)
        if command[1] == "cp":
            Path(command[3]).write_text(STATUS if "status" in command[2] else RELEASE)
        name = "pip-audit" if "pip-audit" in command else Path(command[0]).name
        status, text = self.answers[name]
        if status not in accepted:
            raise scan.NotChecked(f"{command[0]}: {text}")
        return text


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Programs:
    made = Programs([CLEAN])
    monkeypatch.setattr(scan, "_output", made)
    monkeypatch.setattr(scan, "find_uv", lambda: Path("/usr/bin/uv"))
    monkeypatch.setattr(scan, "PROJECT", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("deploy.images.engine.find", lambda: ContainerEngine("podman"))
    return made


def test_all_is_looked_at_and_nothing_is_known(
    programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan.main([]) == 0
    said = capsys.readouterr().out
    assert said.count("0 known vulnerabilities") == 3
    assert "greenroom-recorder" in said
    assert (tmp_path / "dist" / scan.SBOM).exists()
    assert ["podman", "rm", "container"] in programs.run
    asked = next(command for command in programs.run if command[0] == "debsecan")
    assert asked[asked.index("--suite") + 1] == "bookworm"


def test_what_is_known_is_named_and_fails(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs.answers["pip-audit"] = (1, json.dumps({"dependencies": [BAD]}))
    programs.answers["debsecan"] = (0, "CVE-2030-1 openssl\n")
    assert scan.main(["--image", "greenroom:1"]) == 1
    said = capsys.readouterr().out
    assert "PYSEC-2024-24: aiohttp 3.9.0, fixed in 3.9.2" in said
    assert "CVE-2030-1: openssl" in said
    assert scan.main(["--image", "greenroom:1", "--accept", "PYSEC-2024-24", "--accept", "CVE-2030-1"]) == 0


def test_what_could_not_be_looked_at_is_no_success(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.answers["pip-audit"] = (0, json.dumps({"dependencies": [CLEAN, UNKNOWN]}))
    assert scan.main([]) == 2
    said = capsys.readouterr().out
    assert "the lock: NOT CHECKED: the index gives no advisories for 1 packages, such as aio-pika" in (said)
    programs.answers["pip-audit"] = (0, json.dumps({"dependencies": [BAD, UNKNOWN]}))
    assert scan.main([]) == 1, "what is known counts, whatever else is not"


@pytest.mark.parametrize("broken", ["uv", "pip-audit", "debsecan", "podman"])
def test_a_program_that_fails_is_named(programs: Programs, broken: str) -> None:
    programs.answers[broken] = (9, "failed")
    assert scan.main([]) == 2


def test_without_an_engine_images_are_not_checked(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> ContainerEngine:
        raise NoEngine("no container engine works here")

    monkeypatch.setattr("deploy.images.engine.find", none)
    assert scan.main([]) == 2
    said = capsys.readouterr().out
    assert "NOT CHECKED: no container engine works here" in said
