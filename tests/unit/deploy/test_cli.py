"""What the commands say and how they end, without any stack."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import build
from deploy.cli.dead_letters import replay_error
from deploy.cli.doctor import what_next
from deploy.local.data_dir import DataDir


def greenroom(*arguments: str) -> Result:
    return CliRunner().invoke(build(), arguments, env={"COLUMNS": "200"})


@pytest.mark.parametrize("below", [(), ("deeper",)])
def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path, below: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    path = tmp_path.joinpath("file", *below)
    result = greenroom("up", "--detach", "--data-dir", str(path))
    assert result.exit_code == 1
    assert f"The data directory {path} cannot be used: " in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("named", "replayed", "said"),
    [
        ([], 0, None),
        (["a"], 1, None),
        (["a"], 2, None),
        (["a", "a"], 1, None),
        (["a"], 0, "There is no dead letter a."),
        (["b", "a"], 0, "There is no dead letter a, b."),
        (["a", "b"], 1, "1 were replayed, but there are not as many dead letters as were named."),
    ],
)
def test_a_replay_of_what_is_replay_error_is_told(named: list[str], replayed: int, said: str | None) -> None:
    assert replay_error(named, replayed) == said


def test_the_administrators_help_names_where_it_signs_in() -> None:
    text = greenroom("admin", "--help").output
    for variable in ("GREENROOM_BASE_URL", "GREENROOM_ADMIN_EMAIL", "GREENROOM_ADMIN_PASSWORD"):
        assert variable in text


def test_the_doctor_does_not_start_what_runs() -> None:
    assert "greenroom up" in what_next(None)
    assert "greenroom status" in what_next(17)


def test_the_film_of_a_session_is_found_where_the_stack_keeps_it(tmp_path: Path) -> None:
    data = DataDir.at(tmp_path)
    assert data.recording_of("s-1") is None
    folder = data.data_of("storage") / "recordings" / "s-1"
    folder.mkdir(parents=True)
    (folder / "recording.mp4").touch()
    assert data.recording_of("s-1") == folder / "recording.mp4"
