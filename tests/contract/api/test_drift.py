"""The drift ledger's operation: for administrators only; bad filters are refused by name."""

import pytest

from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import UNKNOWN_ID

PATH = "/admin/drift"


async def test_only_administrators_read_it(fixtures: Fixtures) -> None:
    (await fixtures.client.call("GET", PATH)).check_refusal(401, "unauthenticated")
    for person in (fixtures.host, fixtures.viewer):
        (await fixtures.client.call("GET", PATH, person.access_token)).check_refusal(403)
    answer = await fixtures.client.call("GET", PATH, fixtures.admin.access_token)
    assert answer.status == 200
    assert set(answer.data) == {"drift", "total", "page", "limit"}


@pytest.mark.parametrize(
    "query",
    [
        f"session_id={UNKNOWN_ID}",
        "kind=ghost&since=9000-01-01T00:00:00Z",
        "since=2990-01-01T00:00:00%2B01:00",
    ],
)
async def test_what_nothing_fits_is_an_empty_page(fixtures: Fixtures, query: str) -> None:
    answer = await fixtures.client.call("GET", f"{PATH}?{query}&page=2&limit=5", fixtures.admin.access_token)
    assert answer.data == {"drift": [], "total": 0, "page": 2, "limit": 5}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=haunted", "kind"),
        ("since=yesterday", "since"),
        ("since=2030-01-31T20:00:00", "since"),
        ("session_id=nope", "session_id"),
        ("limit=101", "limit"),
        ("page=0", "page"),
    ],
)
async def test_a_filter_that_says_nothing_is_refused(fixtures: Fixtures, query: str, field: str) -> None:
    answer = await fixtures.client.call("GET", f"{PATH}?{query}", fixtures.admin.access_token)
    answer.check_refusal(422)
    assert [error["field"] for error in answer.body["errors"]] == [field]
