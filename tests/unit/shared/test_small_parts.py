"""Clock, ids, text types, health, and the rest that is small."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.clock import SystemClock, from_unix_ms, milliseconds
from shared.contracts.event import PARTITIONS, partition_of
from shared.errors import TooManyRequests, Unavailable
from shared.http.schema import Body, Line, Moment, Page, Text, Title
from shared.ids import is_id, new_id, new_secret
from shared.runtime.health import Health


class Texts(Body):
    line: Line = ""
    text: Text = ""
    title: Title = "A title"
    moment: Moment | None = None


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_cut_to_milliseconds(moment: datetime) -> None:
    cut = milliseconds(moment)
    assert cut.microsecond % 1000 == 0
    assert timedelta() <= moment - cut < timedelta(milliseconds=1)


def test_times_are_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
    plus_two = timezone(timedelta(hours=2))
    assert milliseconds(datetime(2030, 1, 1, 2, tzinfo=plus_two)) == datetime(2030, 1, 1, tzinfo=UTC)
    assert from_unix_ms(1_500) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(uuid.UUID(one).version == 7 and is_id(one) for one in made)


@pytest.mark.parametrize(
    "text",
    ["", "nope", "{01890a5d-ac96-774b-bcce-b302099a8057}", "01890a5dac96774bbcceb302099a8057", "0" * 36],
)
def test_what_is_no_uuid_is_no_id(text: str) -> None:
    assert not is_id(text)


def test_secrets_differ() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) >= 43


@given(st.text())
def test_every_key_has_a_partition(key: str) -> None:
    assert 0 <= partition_of(key) < PARTITIONS


def test_lines_and_titles_are_trimmed_and_single() -> None:
    read = Texts.model_validate_json('{"line": "  a  ", "title": "  A room  ", "text": " a\\nb\\t"}')
    assert (read.line, read.title, read.text) == ("a", "A room", " a\nb\t")
    for bad in (
        {"line": "a\nb"},
        {"title": "a\tbc"},
        {"title": "  ab  "},
        {"text": "a\x00b"},
        {"line": "\x1b[0m"},
    ):
        with pytest.raises(ValidationError):
            Texts.model_validate(bad)


def test_moments_carry_a_zone_and_become_utc() -> None:
    read = Texts.model_validate_json('{"moment": "2035-06-01T20:00:00.123456+02:00"}', strict=True)
    assert read.moment == datetime(2035, 6, 1, 18, 0, 0, 123_000, tzinfo=UTC)
    ends = ('"9999-12-31T23:59:59-10:00"', '"0001-01-01T00:00:00+23:59"')
    for bad in ('"2035-06-01T20:00:00"', '"today"', "7", "true", *ends):
        with pytest.raises(ValidationError):
            Texts.model_validate_json(f'{{"moment": {bad}}}', strict=True)


def test_pages_start_at_one() -> None:
    assert (Page().skip, Page(page=3, limit=20).skip) == (0, 40)


def test_refusals_say_when_to_come_back() -> None:
    assert TooManyRequests("slowly", retry_after=0).headers == {"Retry-After": "1"}
    assert Unavailable("later", retry_after=7).headers == {"Retry-After": "7"}


async def _well() -> str | None:
    return None


async def _ill() -> str | None:
    return "it does not feel well"


async def _refusing() -> str | None:
    raise Unavailable("it is away")


async def _broken() -> str | None:
    raise ZeroDivisionError("no")


async def test_readiness_tells_each_dependency() -> None:
    health = Health()
    for name, check in (("a", _well), ("b", _ill), ("c", _refusing), ("d", _broken)):
        health.add(name, check)
    ready, document = await health.readiness()
    assert not ready
    assert document == {
        "status": "starting",
        "dependencies": {
            "a": "ok",
            "b": "it does not feel well",
            "c": "it is away",
            "d": "ZeroDivisionError: no",
        },
    }


async def test_readiness_follows_the_life_of_the_service() -> None:
    health = Health()
    health.add("a", _well)
    seen = []
    for change in ("started", "stopping"):
        seen.append((await health.readiness())[1]["status"])
        setattr(health, change, True)
    assert [*seen, (await health.readiness())[1]["status"]] == ["starting", "ready", "stopping"]
    assert not (await health.readiness())[0]
    health.stopping = False
    health.add("b", _ill)
    assert (await health.readiness())[1]["status"] == "unavailable"


async def test_what_is_excluded_is_shown_and_does_not_count() -> None:
    health = Health()
    health.started = True
    health.add("a", _well)
    health.add("b", _ill)
    ready, document = await health.readiness(exclude=["b"])
    assert (ready, document["status"]) == (True, "ready")
    assert document["dependencies"] == {"a": "ok", "b": "it does not feel well"}
    assert not (await health.readiness(exclude=["a"]))[0]
    health.stopping = True
    assert not (await health.readiness(exclude=["b"]))[0]


async def test_a_dependency_that_hangs_is_told_in_time() -> None:
    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    health = Health()
    health.add("a", hangs)
    health.add("b", hangs)
    async with asyncio.timeout(3):
        assert set((await health.states()).values()) == {"no answer within 1 s"}


async def test_a_note_keeps_nobody_from_being_ready() -> None:
    health = Health()
    health.started = True
    assert (await health.readiness())[1].keys() == {"status", "dependencies"}
    health.note("mail", "off")
    ready, document = await health.readiness()
    assert (ready, document["notes"]) == (True, {"mail": "off"})
