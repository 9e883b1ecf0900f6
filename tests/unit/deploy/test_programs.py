"""Programs: found, or named with what installs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.programs import FONTS, PANGO, MissingPrograms, Program, locate, private_bin


def program(name: str, path: Path | None) -> Program:
    return Program(name, lambda: path, by_hand=f"get {name}")


def test_found_programs_come_by_name() -> None:
    assert locate((program("redis-server", Path("/bin/redis")),)) == {"redis-server": Path("/bin/redis")}


def test_all_missing_programs_are_named_with_their_commands() -> None:
    with pytest.raises(MissingPrograms) as caught:
        locate((program("one", None), program("two", Path("/bin/two")), program("three", None)))
    assert str(caught.value).splitlines() == [
        "one is missing; install it with: get one",
        "three is missing; install it with: get three",
    ]


def test_a_packaged_program_is_installed_by_make_install() -> None:
    packaged = Program("redis-server", lambda: None, "redis")
    assert packaged.install.startswith("make install")
    assert "redis" in packaged.install


def test_own_programs_live_in_the_cache() -> None:
    assert private_bin({"XDG_CACHE_HOME": "/cache"}) == Path("/cache/greenroom/bin")


def test_what_draws_names_is_on_this_machine() -> None:
    assert PANGO.find() is not None
    assert all(fonts.find() is not None for fonts in FONTS)


def test_fonts_that_are_missing_are_named_with_their_packages(tmp_path: Path) -> None:
    script = "import sys; sys.platform = 'linux'; from deploy.local.programs import FONTS; "
    script += "print(*(f'{fonts.find()} {fonts.install}' for fonts in FONTS))"
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert found.stdout.count("None make install") == 3
    for package in ("fonts-noto-core", "fonts-noto-cjk", "fonts-noto-color-emoji"):
        assert package in found.stdout
