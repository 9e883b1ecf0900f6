"""Who is asked, and when silence counts."""

from services.egress.reconciler.liveness import (
    ASKED_AT_ONCE,
    CONFIRMED_AFTER,
    TRUSTED_FOR,
    Liveness,
    miscounted,
)
from shared.livekit import LiveKitParticipant, LiveKitRoom, Permissions
from tests.unit.egress.reconciler.builders import T0, at


def participant(sid: str, joined: float = 0, kind: str = "standard") -> LiveKitParticipant:
    return LiveKitParticipant(sid, f"{sid}:1", "Vera", kind, "active", at(joined), Permissions())


def room(count: int) -> LiveKitRoom:
    return LiveKitRoom("RM_1", "room", T0, count)


ANNA, BERTA = participant("PA_anna", 1), participant("PA_berta", 2)
BOTH = [BERTA, ANNA]


def asked(
    liveness: Liveness, count: int, now: float, listed: list[LiveKitParticipant] | None = None
) -> list[str]:
    return [one.sid for one in liveness.to_ask(room(count), BOTH if listed is None else listed, at(now))]


def test_in_a_room_without_oddities_nobody_is_asked() -> None:
    liveness = Liveness(suspected=False)
    assert asked(liveness, 2, 0) == []
    assert not liveness.uncertain(at(0))


def test_in_a_room_that_was_never_looked_into_all_are_asked() -> None:
    liveness = Liveness()
    assert liveness.uncertain(at(0))
    assert asked(liveness, 2, 0) == ["PA_anna", "PA_berta"]
    assert not liveness.uncertain(at(0))


def test_where_the_counts_differ_all_are_asked_and_then_believed_for_a_while() -> None:
    liveness = Liveness(suspected=False)
    assert asked(liveness, 1, 0) == ["PA_anna", "PA_berta"]
    liveness.record(BOTH, {"PA_anna", "PA_berta"}, at(0))
    assert asked(liveness, 1, 10) == []
    assert asked(liveness, 1, TRUSTED_FOR.total_seconds() + 1) == ["PA_anna", "PA_berta"]


def test_machines_are_not_counted() -> None:
    listed = [ANNA, participant("PA_bot", kind="agent"), participant("PA_rec", kind="egress")]
    assert not miscounted(room(1), listed)
    assert miscounted(room(3), listed)
    assert miscounted(room(0), [participant("PA_in", kind="ingress")])


def test_the_silent_are_asked_again_until_they_answer() -> None:
    liveness = Liveness()
    liveness.record(BOTH, {"PA_anna"}, at(0))
    assert asked(liveness, 2, 1) == ["PA_berta"]
    assert liveness.stale_since("PA_berta")
    assert not liveness.stale_since("PA_anna")
    liveness.record([BERTA], {"PA_berta"}, at(1))
    assert asked(liveness, 2, 2) == []
    assert not liveness.stale_since("PA_berta")


def test_silence_is_believed_after_a_while() -> None:
    liveness = Liveness(suspected=False)
    assert not liveness.uncertain(at(0))
    liveness.record([ANNA], set(), at(0))
    liveness.record([ANNA], set(), at(4))
    assert liveness.uncertain(at(4))
    assert not liveness.uncertain(T0 + CONFIRMED_AFTER)


def test_a_silent_room_has_nobody() -> None:
    liveness = Liveness()
    liveness.record_room(at(0), running=False)
    liveness.record_room(at(3), running=False)
    assert liveness.stale_since("PA_anna")
    assert liveness.uncertain(at(4))
    assert not liveness.uncertain(T0 + CONFIRMED_AFTER)


def test_who_was_in_a_room_before_another_server_took_it_over_has_been_silent_since_it_was() -> None:
    liveness = Liveness()
    liveness.record_room(at(10), running=False)
    liveness.record_room(at(20), running=True)
    assert not liveness.stale_since("PA_anna")
    late = participant("PA_late", 15)
    assert asked(liveness, 3, 20, [ANNA, late]) == ["PA_anna", "PA_late"]
    liveness.record([ANNA, late], set(), at(20))
    assert liveness.silent == {"PA_anna": at(10), "PA_late": at(20)}
    assert asked(liveness, 2, 21, [ANNA, BERTA]) == ["PA_anna"]


def test_a_suspected_room_is_asked_whole_in_portions() -> None:
    liveness = Liveness(answered={"PA_1": at(0)})
    liveness.suspect()
    crowd = [participant(f"PA_{number}", number) for number in range(ASKED_AT_ONCE + 50)]
    first = liveness.to_ask(room(len(crowd)), crowd, at(1))
    assert len(first) == ASKED_AT_ONCE
    liveness.record(first, {one.sid for one in first}, at(1))
    assert liveness.uncertain(at(1)), "not all were asked"
    second = liveness.to_ask(room(len(crowd)), crowd, at(2))
    assert {one.sid for one in [*first, *second]} == {one.sid for one in crowd}
    liveness.record(second, {one.sid for one in second}, at(2))
    assert liveness.to_ask(room(len(crowd)), crowd, at(3)) == []


def test_who_is_not_listed_any_more_is_forgotten() -> None:
    liveness = Liveness(silent={"PA_anna": at(0)}, answered={"PA_berta": at(0)}, suspected=False)
    liveness.retain([BERTA])
    assert (liveness.silent, liveness.answered) == ({}, {"PA_berta": at(0)})
    assert not liveness.uncertain(at(0))
