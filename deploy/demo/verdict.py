"""Asking the API what happened, until it has settled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from deploy.demo.api import HostApi
from deploy.demo.performance import Performance
from deploy.demo.report import Reported, Row, Witnessed, agree, compare
from deploy.demo.waiting import POLL_SECONDS

SETTLE_SECONDS = 15.0


async def settled_rows(api: HostApi, performance: Performance, people: Sequence[Witnessed]) -> list[Row]:
    """The comparison once everything agrees, or as it stands when there was time enough for that.

    The last news of people leaving reaches the attendance a moment after the end.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_SECONDS
    while True:
        rows = compare(people, performance.live, await _reported(api, performance))
        if agree(rows) or loop.time() > deadline:
            return rows
        await asyncio.sleep(POLL_SECONDS)


async def _reported(api: HostApi, performance: Performance) -> Reported:
    counts = await performance.counting.look()
    return Reported(
        attendance=await api.attendance(counts.session.id),
        stats=await api.statistics(counts.session.id),
        session=counts.session,
        most_shown=performance.counting.most_shown,
    )
