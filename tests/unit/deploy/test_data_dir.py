"""Files that are read while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.console import Tail
from deploy.local.data_dir import DamagedFile, last_lines, read_json, write_json


def test_json_comes_back_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"port": 1})
    assert read_json(path) == {"port": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_is_none(tmp_path: Path) -> None:
    assert read_json(tmp_path / "absent.json") is None


def test_something_else_than_an_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "cut.json").write_text('{"port":')
    for name in ("list.json", "cut.json"):
        with pytest.raises(DamagedFile, match=f"{name} is damaged"):
            read_json(tmp_path / name)


def test_the_last_lines_are_those_of_this_run(tmp_path: Path) -> None:
    log = tmp_path / "session.log"
    log.write_text("earlier\n")
    start = log.stat().st_size
    with log.open("a") as file:
        file.write("one\ntwo\nthree\n")
    assert last_lines(log, 2) == ["two", "three"]
    assert last_lines(log, 10, since=start) == ["one", "two", "three"]
    assert last_lines(tmp_path / "absent.log", 5) == []


def test_a_tail_gives_whole_new_lines_once(tmp_path: Path) -> None:
    log = tmp_path / "session.log"
    log.write_text("before\n")
    tail = Tail(log)
    with log.open("a") as file:
        file.write("one\ntw")
    assert tail.read() == "one\n"
    with log.open("a") as file:
        file.write("o\n")
    assert [tail.read(), tail.read()] == ["two\n", ""]


def test_a_tail_follows_a_log_that_was_moved_aside(tmp_path: Path) -> None:
    log = tmp_path / "session.log"
    log.write_text("a long first log\n")
    tail = Tail(log)
    log.replace(tmp_path / "session.log.1")
    assert tail.read() == ""
    log.write_text("new\n")
    assert tail.read() == "new\n"
