"""Reads the state from the API after the load, to compare it with the ledger."""

from dataclasses import dataclass
from typing import Any

from tests.chaos.caller import Caller

LIMIT = 100
PATIENCE = 20.0


class Unreadable(Exception):
    """The API does not answer although everything is back."""


@dataclass(frozen=True)
class Api:
    """Reads by an administrator's or a host's token. Raises Unreadable."""

    caller: Caller

    async def get(self, path: str, token: str | None = None) -> Any | None:
        """The data; None for 404."""
        answer = await self.caller.surely("check", "GET", path, token=token, patience=PATIENCE)
        if answer.call.status == 404:
            return None
        if not answer.ok:
            raise Unreadable(f"GET {path} was answered {answer.call.status} {answer.call.code}")
        return answer.data

    async def pages(self, path: str, field: str, token: str) -> list[dict[str, Any]]:
        """All of a list; empty for one that is not there."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            data = await self.get(f"{path}?page={page}&limit={LIMIT}", token)
            found += data[field] if data else []
            if data is None or len(data[field]) < LIMIT:
                return found
            page += 1
