"""A burst of viewers: exact counts, and the rate beside raw bulk writes of the same documents."""

from tests.bench.attendance_load import baselines, measure
from tests.bench.rows import Row
from tests.running_stack import RunningStack


async def run(stack: RunningStack, *, short: bool) -> list[Row]:
    people = 200 if short else 10_000
    presences, attendances = await baselines(stack.info, people)
    _, counted = await measure(stack.info, people)
    changes = 2 * people
    return [
        Row(
            f"presence changes, {people:,} viewers joining and leaving",
            changes / counted,
            "changes/s",
            changes / (presences + attendances),
            "raw bulk_write of the same documents",
            goal=0.5,
            note=f"counts exact after {counted:.1f} s",
        )
    ]
