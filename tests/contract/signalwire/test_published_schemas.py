"""The checks notice what they are for."""

import pytest

from shared.ids import new_id
from tests.contract.signalwire.published_schemas import answer_faults, faults

MEMBER = {
    "id": new_id(),
    "room_session_id": new_id(),
    "name": None,
    "join_time": "2026-03-01T10:00:00Z",
    "leave_time": None,
    "duration": None,
    "cost_in_dollars": 0.0,
}


def test_a_whole_member_has_no_fault() -> None:
    assert faults("RoomSessionMember", MEMBER) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": "7"}, ".id: '7' is no uuid"),
        ({"id": None}, ".id: null"),
        ({"cost_in_dollars": 0}, ".cost_in_dollars: 0 is no float64"),
        ({"duration": True}, ".duration: True is no int32"),
        ({"join_time": "2026-03-01T10:00:00"}, ".join_time: '2026-03-01T10:00:00' is no date-time"),
        ({"role": "host"}, ".role: not published"),
    ],
)
def test_a_member_with_a_fault(change: dict[str, object], fault: str) -> None:
    assert faults("RoomSessionMember", MEMBER | change) == [fault]


def test_what_is_missing_is_a_fault() -> None:
    without = {name: value for name, value in MEMBER.items() if name != "duration"}
    assert faults("RoomSessionMember", without) == [".duration: missing"]


def test_answers_are_checked_whole() -> None:
    links = {"self": "/a", "first": "/a"}
    good = {"links": links, "data": [MEMBER]}
    assert answer_faults("list_room_session_members", 200, good) == []
    assert answer_faults("list_room_session_members", 201, good) == ["status 201"]
    assert answer_faults("list_room_session_members", 200, {"data": []}) == ["fields ['data']"]
    bad = {"links": links | {"next": None}, "data": [MEMBER | {"id": 1}]}
    assert answer_faults("list_room_session_members", 200, bad) == [
        "links.next: null",
        "RoomSessionMember.id: 1 is no uuid",
    ]
    assert answer_faults("delete_room", 204, None) == []
    assert answer_faults("delete_room", 204, {}) == ["a body: {}"]
