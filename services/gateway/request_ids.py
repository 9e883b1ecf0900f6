"""Ids of requests: the client's own where well-formed, else a prefix of this process and a counter."""

import itertools
import re
from typing import Final

HEADER: Final = "X-Request-Id"

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,128}")


class RequestIds:
    """`prefix` must be unique to this process; 16 characters or more of [A-Za-z0-9]."""

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def choose(self, given: str | None) -> str:
        if given is not None and _WELL_FORMED.fullmatch(given):
            return given
        return f"{self._prefix}-{next(self._numbers):x}"
