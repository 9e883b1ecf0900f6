"""Of what the engine lists that which a plan means. Pure."""

import math
from collections.abc import Iterable

from shared.egress.engine import EgressInfo


def ours(found: Iterable[EgressInfo], key: str) -> tuple[EgressInfo | None, list[EgressInfo]]:
    """Of what the engine lists the one with this key, and others with it that should not be.

    One that is not over is preferred, then the one that was started first.
    """
    mine = sorted((one for one in found if one.key == key), key=_preference)
    return (mine[0], [one for one in mine[1:] if not one.status.over]) if mine else (None, [])


def _preference(one: EgressInfo) -> tuple[bool, float, str]:
    return (one.status.over, one.started_at.timestamp() if one.started_at else math.inf, one.egress_id)
