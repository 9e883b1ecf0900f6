"""Each mail once: over refusals, outages, deaths and frozen replicas."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from services.session.identity.accounts.schemas import UpdateUserRequest
from services.session.reminders.mails.domain import MailState, ReminderMail
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.mails.smtp import MailDeferred, MailRefused
from shared.errors import Unavailable
from shared.persistence.lease import TAKEOVER_AFTER
from tests.unit.session.actors import Host
from tests.unit.session.reminders.fixtures import Reminders, Replica

PEOPLE = 5


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
async def waiting(reminders: Reminders, host: Host) -> Reminders:
    """Five people are to be told of a session, and nobody was yet."""
    room = await host.room()
    await reminders.subscribers(room, PEOPLE)
    await host.session(room, scheduled_start_time=reminders.backend.clock.now() + timedelta(days=3))
    await reminders.backend.settle()
    return reminders


def of(number: int) -> str:
    return f"person{number}@example.com"


async def states(reminders: Reminders) -> list[str]:
    return sorted(one["state"] for one in await reminders.mails.collection.find({}))


async def test_a_refused_mail_is_not_tried_again(waiting: Reminders) -> None:
    waiting.box.trouble = lambda one: MailRefused("550 no such user") if one["To"] == of(2) else None
    await waiting.work()
    await waiting.pass_time(hours=2)
    assert len(waiting.box.sent) == PEOPLE - 1
    (refused,) = await waiting.mails.collection.find({"state": MailState.REFUSED})
    assert refused["why"] == "550 no such user"


async def test_a_deferred_mail_is_tried_later_and_later(waiting: Reminders) -> None:
    tries: list[int] = []

    def defer(one: EmailMessage) -> Exception | None:
        if one["To"] != of(2):
            return None
        tries.append(int((waiting.backend.clock.now() - begin).total_seconds()))
        return MailDeferred("451 later") if len(tries) < 4 else None

    begin = waiting.backend.clock.now()
    waiting.box.trouble = defer
    for _ in range(30):
        await waiting.pass_time(seconds=30)
    assert tries == [30, 90, 210, 450]
    assert len(waiting.box.sent) == PEOPLE


async def test_a_server_that_is_away_is_not_asked_for_each_mail(waiting: Reminders) -> None:
    waiting.box.away = True
    await waiting.work()
    assert waiting.box.connections <= 4
    waiting.box.away = False
    await waiting.pass_time(minutes=2)
    assert sorted(to for to, _ in waiting.box.told) == [of(number) for number in range(PEOPLE)]


async def test_a_retry_of_unknown_outcome_has_the_same_message_id(waiting: Reminders) -> None:
    outcomes: list[str] = []

    def lose_the_answer(one: EmailMessage) -> Exception | None:
        if one["To"] != of(2):
            return None
        outcomes.append(str(one["Message-ID"]))
        return Unavailable("The mail server closed the connection") if len(outcomes) == 1 else None

    waiting.box.trouble = lose_the_answer
    await waiting.work()
    await waiting.pass_time(hours=1)
    assert len(outcomes) == 2
    assert len(set(outcomes)) == 1
    assert outcomes[0].endswith("@live.example>")
    assert len({str(one["Message-ID"]) for one in waiting.box.sent}) == PEOPLE


async def test_what_a_dead_sender_had_in_hand_is_sent_by_another(waiting: Reminders) -> None:
    two = Replica(waiting, "two")

    def die(one: EmailMessage) -> Exception | None:
        if len(waiting.box.sent) == 2:
            raise Killed
        return None

    waiting.box.trouble = die
    with pytest.raises(Killed):
        await waiting.work()
    waiting.box.trouble = lambda _: None
    await two.wait(TAKEOVER_AFTER - 1)
    assert two.lease.epoch is None
    await two.wait(3)
    assert two.lease.epoch == 2
    await two.work()
    assert {to for to, _ in waiting.box.told} == {of(number) for number in range(PEOPLE)}
    # Whoever was in hand at the moment of death may be written to twice, under one Message-ID.
    assert len({str(one["Message-ID"]) for one in waiting.box.sent}) == PEOPLE
    assert set(await states(waiting)) == {MailState.SENT}


class Mortal(MailRepository):
    """Takes the first page of mails, and the process dies of the second."""

    pages = 0

    async def plan(self, mails: Sequence[ReminderMail], now: datetime) -> None:
        self.pages += 1
        if self.pages > 1:
            raise Killed
        await super().plan(mails, now)


async def test_a_planner_that_dies_half_way_is_followed_by_another(waiting: Reminders) -> None:
    dying = Replica(waiting, "dying", Mortal(waiting.mongo))
    with pytest.raises(Killed):
        await dying.work()
    assert len(await states(waiting)) == 3
    await waiting.one.wait(TAKEOVER_AFTER + 2)
    await waiting.one.work()
    assert sorted(to for to, _ in waiting.box.told) == [of(number) for number in range(PEOPLE)]


async def test_only_one_of_two_replicas_works(waiting: Reminders) -> None:
    two = Replica(waiting, "two")
    await waiting.one.lease.run_once()
    await two.work()
    assert (two.lease.epoch, waiting.box.sent) == (None, [])
    for _ in range(20):
        await waiting.one.wait(1)
        await two.wait(1)
    assert (waiting.one.lease.epoch, two.lease.epoch) == (1, None)


async def test_a_frozen_replica_notices_that_it_was_replaced(waiting: Reminders) -> None:
    two = Replica(waiting, "two")
    await waiting.one.lease.run_once()
    await two.wait(TAKEOVER_AFTER + 2)
    assert two.lease.epoch == 2
    waiting.one.seconds += 60
    assert waiting.one.lease.epoch is None
    assert not await waiting.one.scheduler.step()
    await waiting.one.lease.run_once()
    assert waiting.one.lease.epoch is None


async def test_a_replica_that_stops_hands_over_at_once(waiting: Reminders) -> None:
    two = Replica(waiting, "two")
    await waiting.one.lease.run_once()
    await waiting.one.scheduler.stop()
    await two.work()
    assert two.lease.epoch == 2
    assert len(waiting.box.sent) == PEOPLE
    await waiting.one.lease.run_once()
    assert waiting.one.lease.epoch is None


async def test_who_left_or_unsubscribed_meanwhile_is_not_written_to(waiting: Reminders, host: Host) -> None:
    backend = waiting.backend
    people = {person.email: person for person in await backend.users.list_where({})}
    await backend.accounts.update(people[of(1)].id, UpdateUserRequest(is_active=False))
    await backend.accounts.delete(people[of(2)].id)
    waiting.box.away = True
    await waiting.work()
    (room,) = await backend.rooms.list_where({})
    await waiting.subscriptions.remove(room.id, people[of(3)].id)
    waiting.box.away = False
    await waiting.pass_time(hours=1)
    assert sorted(to for to, _ in waiting.box.told) == [of(0), of(4)]


async def test_a_mail_that_cannot_be_sent_at_all_holds_up_no_other(waiting: Reminders) -> None:
    waiting.box.trouble = lambda one: ZeroDivisionError("a bug") if one["To"] == of(2) else None
    await waiting.work()
    assert len(waiting.box.sent) == PEOPLE - 1
    assert (await states(waiting)).count(MailState.REFUSED) == 1


async def test_who_loses_the_lease_stops_in_the_middle(waiting: Reminders) -> None:
    two = Replica(waiting, "two")

    def freeze(one: EmailMessage) -> Exception | None:
        waiting.one.seconds += 60
        return None

    waiting.box.trouble = freeze
    await waiting.one.lease.run_once()
    await waiting.one.scheduler.step()
    assert len(waiting.box.sent) == 1
    waiting.box.trouble = lambda _: None
    await two.wait(TAKEOVER_AFTER + 2)
    await two.work()
    assert len({str(one["Message-ID"]) for one in waiting.box.sent}) == PEOPLE
    assert len(waiting.box.sent) == PEOPLE
