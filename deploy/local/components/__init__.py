"""The components of the stack, and the table of them all."""

from __future__ import annotations

from deploy.local.components import databases, media, rabbitmq, services
from deploy.local.plan import StackPlan
from deploy.local.process import StackComponent


def table(plan: StackPlan) -> list[StackComponent]:
    """Every process of the stack; what the environment provides is left out.

    To add one: a function from the plan to its components, named here.
    """
    return [
        *databases.mongodb(plan),
        *rabbitmq.components(plan),
        *databases.redis(plan),
        *services.mail(plan),
        *media.livekit(plan),
        *services.components(plan),
        *media.rtmp(plan),
    ]
