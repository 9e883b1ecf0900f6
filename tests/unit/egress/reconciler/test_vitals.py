"""Who is asked for a sign of life, and when silence is believed."""

from services.egress.reconciler.vitals import ASKED_AT_ONCE, CONFIRMED_AFTER, PROVEN_FOR, Vitals, miscounted
from shared.livekit import LiveKitParticipant, LiveKitRoom, Permissions
from tests.unit.egress.reconciler.make import T0, at


def participant(sid: str, joined: float = 0, kind: str = "standard") -> LiveKitParticipant:
    return LiveKitParticipant(sid, f"{sid}:1", "Vera", kind, "active", at(joined), Permissions())


def room(count: int) -> LiveKitRoom:
    return LiveKitRoom("RM_1", "room", T0, count)


ANNA, BERTA = participant("PA_anna", 1), participant("PA_berta", 2)
BOTH = [BERTA, ANNA]


def asked(
    vitals: Vitals, count: int, now: float, listed: list[LiveKitParticipant] | None = None
) -> list[str]:
    return [one.sid for one in vitals.to_ask(room(count), BOTH if listed is None else listed, at(now))]


def test_in_a_room_without_oddities_nobody_is_asked() -> None:
    vitals = Vitals(suspected=False)
    assert asked(vitals, 2, 0) == []
    assert not vitals.unsure(at(0))


def test_in_a_room_that_was_never_looked_into_all_are_asked() -> None:
    vitals = Vitals()
    assert vitals.unsure(at(0))
    assert asked(vitals, 2, 0) == ["PA_anna", "PA_berta"]
    assert not vitals.unsure(at(0))


def test_where_the_counts_differ_all_are_asked_and_then_believed_for_a_while() -> None:
    vitals = Vitals(suspected=False)
    assert asked(vitals, 1, 0) == ["PA_anna", "PA_berta"]
    vitals.hear(BOTH, {"PA_anna", "PA_berta"}, at(0))
    assert asked(vitals, 1, 10) == []
    assert asked(vitals, 1, PROVEN_FOR.total_seconds() + 1) == ["PA_anna", "PA_berta"]


def test_machines_are_not_counted() -> None:
    listed = [ANNA, participant("PA_bot", kind="agent"), participant("PA_rec", kind="egress")]
    assert not miscounted(room(1), listed)
    assert miscounted(room(3), listed)
    assert miscounted(room(0), [participant("PA_in", kind="ingress")])


def test_the_silent_are_asked_again_until_they_answer() -> None:
    vitals = Vitals()
    vitals.hear(BOTH, {"PA_anna"}, at(0))
    assert asked(vitals, 2, 1) == ["PA_berta"]
    assert vitals.dead_since("PA_berta")
    assert not vitals.dead_since("PA_anna")
    vitals.hear([BERTA], {"PA_berta"}, at(1))
    assert asked(vitals, 2, 2) == []
    assert not vitals.dead_since("PA_berta")


def test_silence_is_believed_after_a_while() -> None:
    vitals = Vitals(suspected=False)
    assert not vitals.unsure(at(0))
    vitals.hear([ANNA], set(), at(0))
    vitals.hear([ANNA], set(), at(4))
    assert vitals.unsure(at(4))
    assert not vitals.unsure(T0 + CONFIRMED_AFTER)


def test_a_silent_room_has_nobody() -> None:
    vitals = Vitals()
    vitals.hear_room(at(0), run=False)
    vitals.hear_room(at(3), run=False)
    assert vitals.dead_since("PA_anna")
    assert vitals.unsure(at(4))
    assert not vitals.unsure(T0 + CONFIRMED_AFTER)


def test_who_was_in_a_room_before_another_server_took_it_over_has_been_silent_since_it_was() -> None:
    vitals = Vitals()
    vitals.hear_room(at(10), run=False)
    vitals.hear_room(at(20), run=True)
    assert not vitals.dead_since("PA_anna")
    late = participant("PA_late", 15)
    assert asked(vitals, 3, 20, [ANNA, late]) == ["PA_anna", "PA_late"]
    vitals.hear([ANNA, late], set(), at(20))
    assert vitals.silent == {"PA_anna": at(10), "PA_late": at(20)}
    assert asked(vitals, 2, 21, [ANNA, BERTA]) == ["PA_anna"]


def test_a_suspected_room_is_asked_whole_in_portions() -> None:
    vitals = Vitals(proven={"PA_1": at(0)})
    vitals.suspect()
    crowd = [participant(f"PA_{number}", number) for number in range(ASKED_AT_ONCE + 50)]
    first = vitals.to_ask(room(len(crowd)), crowd, at(1))
    assert len(first) == ASKED_AT_ONCE
    vitals.hear(first, {one.sid for one in first}, at(1))
    assert vitals.unsure(at(1)), "not all were asked"
    second = vitals.to_ask(room(len(crowd)), crowd, at(2))
    assert {one.sid for one in [*first, *second]} == {one.sid for one in crowd}
    vitals.hear(second, {one.sid for one in second}, at(2))
    assert vitals.to_ask(room(len(crowd)), crowd, at(3)) == []


def test_who_is_not_listed_any_more_is_forgotten() -> None:
    vitals = Vitals(silent={"PA_anna": at(0)}, proven={"PA_berta": at(0)}, suspected=False)
    vitals.keep([BERTA])
    assert (vitals.silent, vitals.proven) == ({}, {"PA_berta": at(0)})
    assert not vitals.unsure(at(0))
