"""What is logged, and what never is."""

import subprocess
import sys

import pytest

_FAILS = """
import structlog
from shared.runtime import log

def sign_in(password):
    raise ZeroDivisionError

log.configure(service="example", level="INFO", output="{output}")
try:
    sign_in("open " + "sesame")
except ZeroDivisionError:
    structlog.get_logger().exception("http.bug")
"""


@pytest.mark.parametrize("output", ["json", "console"])
def test_a_bug_is_logged_without_the_values_of_variables(output: str) -> None:
    argv = [sys.executable, "-c", _FAILS.format(output=output)]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stderr
    assert "http.bug" in told
    assert "ZeroDivisionError" in told
    assert "open sesame" not in told
