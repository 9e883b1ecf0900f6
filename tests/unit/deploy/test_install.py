"""The installer's parts that can be tried without installing anything."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

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
