"""Fixtures for everybody. A stack is started when a test first asks for one, and once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from deploy.local.data_dir import DataDir
from deploy.local.stack import Stack
from tests.running_stack import RunningStack, private_stack

# A busy machine is no fault of an example; pytest's own timeout ends what hangs.
settings.register_profile("greenroom", deadline=None)
settings.load_profile("greenroom")


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A private stack on free ports, with the means to kill and hold its components."""
    with private_stack(DataDir.at(tmp_path_factory.mktemp("stack"))) as running:
        yield running


@pytest.fixture(scope="session")
def stack(running_stack: RunningStack) -> Stack:
    """Addresses and sign-ins of the private stack: `stack.json`, typed."""
    return running_stack.info
