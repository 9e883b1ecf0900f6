"""Organizations are isolated: every operation of the document, called from another one.

Generated from docs/openapi.json, so that none is left out. Whoever calls is a host or an API key of another
organization, and names what is ours: by its id, under our library, or under a library of their own.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.gateway.routing.table import TABLE
from shared.http.routes import Access
from tests.contract.api.cases import BEYOND, CASES, Case, PreparedCall, PreparedCalls
from tests.contract.api.client import Answer
from tests.contract.api.contract import LIBRARY_PREFIX
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import BODIES_NEEDED, QUERIES_NEEDED

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
LEAST = 300
# `{path:.+}` is `{path}` in the document.
ACCESS = {(operation.method, re.sub(r":[^}]+", "", operation.path)): operation.access for operation in TABLE}
HOSTING = frozenset({Access.HOST, Access.MODERATOR})
# For API keys alone, and with a body of its own.
FOR_KEYS = "/sessions/{id}/tokens"
CALLERS = ("host", "key")
LIBRARIES = ("ours", "theirs")
_NAMED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Attempt:
    """One operation, who of the other organization calls it, and under which library."""

    method: str
    path: str
    by: str
    library: str | None

    @property
    def id(self) -> str:
        return f"{self.method} {self.path} {self.by}{f' {self.library}' if self.library else ''}"

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def access(self) -> Access:
        return ACCESS[self.method, self.path]

    @property
    def names(self) -> bool:
        """Whether it names something of ours, in its path or in its body."""
        return "{" in self.path or self.path == "/auth/generate-code"

    @property
    def refused_with(self) -> int | None:
        """None where it may be answered, to whoever knows the id."""
        if self.access is Access.ADMIN:
            return 403
        ours = self.names if self.library is None else self.names or self.library == "ours"
        if self.access in HOSTING and ours:
            return 404
        return 404 if self.library == "theirs" and self.names else None

    @property
    def case(self) -> Case | None:
        """Its own, or one that names something of the same kind."""
        own = CASES.get(self.key) or BEYOND.get(self.path)
        if own is not None or "{" not in self.path:
            return own
        noun = self.path.split("/{")[0]
        wanted = set(_NAMED.findall(self.path))
        alike = (
            case
            for case in CASES.values()
            if case.operation.path.startswith(f"{noun}/{{")
            and wanted <= {*_NAMED.findall(case.operation.path)}
        )
        return next(alike, None)


def attempts() -> Iterator[Attempt]:
    paths = json.loads(DOCUMENT.read_bytes())["paths"]
    for path, methods in paths.items():
        mirrored = path.startswith(LIBRARY_PREFIX)
        plain = path.removeprefix(LIBRARY_PREFIX)
        for method in methods:
            for by in CALLERS:
                for library in LIBRARIES if mirrored else (None,):
                    yield Attempt(method.upper(), plain, by, library)


ATTEMPTS = list(attempts())


@dataclass(frozen=True)
class IsolationCheck:
    """Calls from another organization.

    `ours` is what must not come through; `private_ids` are ids of ours that are in no public list.
    """

    prepared_calls: PreparedCalls
    key: str
    ours: frozenset[str]
    private_ids: frozenset[str]

    @property
    def fixtures(self) -> Fixtures:
        return self.prepared_calls.fixtures

    async def call(self, attempt: Attempt, prepared: PreparedCall | None) -> Answer:
        path = await self._path(attempt, prepared)
        if attempt.library is not None:
            own = self.fixtures.foreign_library
            library = (
                own
                if attempt.library == "theirs"
                else (prepared and prepared.library) or self.fixtures.library
            )
            path = LIBRARY_PREFIX.replace("{library_id}", library) + path
        headers = {"X-API-Key": self.key} if attempt.by == "key" else {}
        token = None if attempt.by == "key" else self.fixtures.outsider.access_token
        body = self._body(attempt, prepared)
        query = QUERIES_NEEDED.get(attempt.key)
        return await self.fixtures.client.call(
            attempt.method, path, token, body or None, headers=headers, query=query
        )

    @staticmethod
    def _body(attempt: Attempt, prepared: PreparedCall | None) -> dict[str, Any]:
        if attempt.path == FOR_KEYS:
            return {"external_user_id": "c-1", "name": "Carla"}
        if attempt.key in BODIES_NEEDED:
            return BODIES_NEEDED[attempt.key]
        # Whoever shows somebody's own credentials is that somebody.
        if attempt.access is Access.ANONYMOUS or attempt.method == "GET":
            return {}
        return prepared.body if prepared and prepared.operation.method == attempt.method else {}

    async def _path(self, attempt: Attempt, prepared: PreparedCall | None) -> str:
        if attempt.access is Access.ADMIN:
            return _NAMED.sub(self.fixtures.host.id, attempt.path)
        path = attempt.path
        if prepared is not None:
            for name, value in prepared.within.items():
                path = path.replace(f"{{{name}}}", value)
            path = _NAMED.sub(prepared.id, path, count=1)
        # The rest of the path is no id: files of a stream, pages of the documentation.
        return _NAMED.sub("anything", path)

    async def state(self, prepared: PreparedCall) -> object:
        """When what the path names was changed last, as its host sees it."""
        noun = prepared.operation.path.split("/")[1]
        answer = await self.fixtures.client.call(
            "GET", f"/{noun}/{prepared.id}", self.fixtures.host.access_token
        )
        return answer.body.get("data", {}).get("updated_at")


@pytest.fixture(scope="module")
async def isolation(fixtures: Fixtures) -> IsolationCheck:
    room, preset = (
        await fixtures.room(fixtures.unlisted_library),
        await fixtures.preset(fixtures.unlisted_library),
    )
    session = await fixtures.session(fixtures.unlisted_library, room=room, preset=preset)
    addresses = [str(person.email) for person in (fixtures.host, fixtures.colleague)]
    return IsolationCheck(
        # Of its own: some attempts succeed, as those of anybody who knows a session's id.
        prepared_calls=PreparedCalls(fixtures),
        key=await fixtures.admin.api_key(fixtures.outsider),
        ours=frozenset(addresses),
        private_ids=frozenset({room, preset, session, fixtures.unlisted_library}),
    )


def test_no_operation_is_left_out() -> None:
    assert len(ATTEMPTS) >= LEAST
    nameless = {
        attempt.path
        for attempt in ATTEMPTS
        if attempt.access in {*HOSTING, Access.BEARER} and "{" in attempt.path and attempt.case is None
    }
    assert nameless == set(), "say in CASES what their paths name"


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.id)
async def test_nothing_comes_through(isolation: IsolationCheck, attempt: Attempt) -> None:
    case = attempt.case
    prepared = (
        await isolation.prepared_calls.of(case) if case and attempt.access is not Access.ADMIN else None
    )
    owned = prepared is not None and prepared.id != "" and attempt.access in HOSTING
    before = await isolation.state(prepared) if prepared and owned else None
    answer = await isolation.call(attempt, prepared)
    if attempt.refused_with is not None:
        answer.check_refusal(attempt.refused_with)
    if prepared and owned:
        assert await isolation.state(prepared) == before
    told = orjson.dumps(answer.body).decode()
    assert not {secret for secret in isolation.ours if secret in told}
    # What is named is known to whoever names it; a list names nothing.
    if "{" not in attempt.path:
        assert not {private_id for private_id in isolation.private_ids if private_id in told}
