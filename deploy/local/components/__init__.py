"""The components of the stack, one file for each kind, and the table of them all."""

from __future__ import annotations

from deploy.local.component import Component
from deploy.local.components import livekit, mail, mongodb, rabbitmq, redis, rtmp, services
from deploy.local.plan import Plan


def table(plan: Plan) -> list[Component]:
    """Every process of the stack; what the environment provides is left out.

    To add one: a file with a function from the plan to its components, named here.
    """
    return [
        *mongodb.components(plan),
        *rabbitmq.components(plan),
        *redis.components(plan),
        *mail.components(plan),
        *livekit.components(plan),
        *services.components(plan),
        *rtmp.components(plan),
    ]
