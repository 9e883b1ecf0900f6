"""The metrics of this process, as tests read them: they are global, so what counts is how they change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY


def sample(name: str, /, **labels: str) -> float:
    """The value of a sample, 0 if there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def grows(name: str, /, **labels: str) -> Iterator[None]:
    """Fails unless the sample grows by one."""
    with changes(name, 1, **labels):
        yield


@contextmanager
def changes(name: str, by: float, /, **labels: str) -> Iterator[None]:
    """Fails unless the sample changes by this, exactly."""
    before = sample(name, **labels)
    yield
    assert sample(name, **labels) - before == by, (name, labels)
