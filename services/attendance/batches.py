"""Cutting long lists to what a database takes well in one go."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

# The local database compares every document found with every value of an $in: its cost is the square.
_SIZE = 50


def batches(items: Sequence[T], size: int = _SIZE) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
