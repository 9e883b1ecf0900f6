"""The installer's parts that can be tried without installing anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.install import tools
from deploy.local.install.packages import InstallFailed, daemons_stay_down, run


def test_daemons_stay_down_only_while_packages_are_installed(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with daemons_stay_down([], policy):
        assert os.access(policy, os.X_OK)
        assert "exit 101" in policy.read_text()
    assert not policy.exists()


def test_a_failed_installation_takes_its_policy_away(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with pytest.raises(InstallFailed), daemons_stay_down([], policy):
        raise InstallFailed("no network")
    assert not policy.exists()


def test_a_policy_of_the_machine_is_left_alone(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    with daemons_stay_down([], policy):
        assert "exit 0" in policy.read_text()
    assert policy.exists()


def test_a_failed_step_tells_its_command_its_words_and_what_to_do() -> None:
    script = "print('no space left'); raise SystemExit(3)"
    with pytest.raises(InstallFailed, match=r"(?s)building x failed.*no space left.*free some") as caught:
        run("building x", [sys.executable, "-c", script], advice="free some")
    assert sys.executable in str(caught.value)


def test_a_tool_that_cannot_be_installed_is_named_with_what_is_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def install() -> None:
        raise InstallFailed("No container engine works.")

    monkeypatch.setattr(tools, "TOOLS", ((install, "the container images"),))
    tools.main()
    assert "Tests of the container images are skipped." in capsys.readouterr().err


INSTALLED = """
import sys
sys.platform = {platform!r}
from deploy.local.install import __main__ as installer
installer.environment.install = lambda project: None
installer.packages.install = lambda programs: print(*(program.package for program in programs))
print(installer.install())
"""


def installed(platform: str, folder: Path, **environ: str) -> list[str]:
    """The packages that are installed on a machine that has none."""
    environment = {"PATH": str(folder), "GREENROOM_LIVEKIT_URL": "ws://livekit", **environ}
    environment |= {"GREENROOM_LIVEKIT_API_KEY": "key", "GREENROOM_LIVEKIT_API_SECRET": "secret"}
    command = [sys.executable, "-c", INSTALLED.format(platform=platform)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    packages, problems = run.stdout.splitlines()
    assert problems == "[]"
    return packages.split()


def test_a_new_mac_installs_packages_of_homebrew_alone(tmp_path: Path) -> None:
    """Homebrew installs nothing if it does not know one of the names; macOS has fonts."""
    packages = installed("darwin", tmp_path)
    assert {"redis", "ffmpeg"} <= set(packages) <= {"redis", "ffmpeg", "rabbitmq", "erlang", "pango"}


def test_fonts_are_installed_where_a_recorder_runs(tmp_path: Path) -> None:
    noto = {"fonts-noto-core", "fonts-noto-cjk", "fonts-noto-color-emoji"}
    assert noto <= set(installed("linux", tmp_path))
    assert not noto & set(installed("linux", tmp_path, GREENROOM_ENGINE="livekit"))
