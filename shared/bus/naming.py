"""The names of a group's queues."""

from collections.abc import Iterable

from shared.bus.policy import RetryPolicy
from shared.bus.ports import Broadcast, Group, OrderedGroup
from shared.contracts.event import PARTITIONS

EXCHANGE = "greenroom.events"


def partition_queue(group: str, partition: int) -> str:
    return f"{group}.{partition:02d}"


def dead_queue(group: str) -> str:
    return f"{group}.dead"


def lane_queue(group: str, seconds: float) -> str:
    """The delay is part of the name, since a queue's arguments never change."""
    return f"{group}.retry.{seconds:g}s"


def working_queues(group: Group | OrderedGroup) -> dict[str, list[str]]:
    """The queues that are consumed, each with its binding keys."""
    if isinstance(group, Group):
        return {group.name: [f"{event.name}.*" for event in group.handlers]}
    return {
        partition_queue(group.name, partition): [f"{event.name}.{partition:02d}" for event in group.events]
        for partition in range(PARTITIONS)
    }


def broadcast_bindings(broadcast: Broadcast) -> list[str]:
    return [f"{event.name}.*" for event in broadcast.events]


def lanes(group: Group | OrderedGroup, policy: RetryPolicy) -> Iterable[tuple[str, float]]:
    """The delay lanes' names and seconds; ordered groups have none."""
    if isinstance(group, Group):
        return [(lane_queue(group.name, seconds), seconds) for seconds in policy.lanes]
    return []


def belongs(queue: str, group: str) -> bool:
    """Whether `queue` is one that the group consumes, so that a replay cannot reach another's."""
    return queue == group or queue in {partition_queue(group, number) for number in range(PARTITIONS)}
