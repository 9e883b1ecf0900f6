"""What a plan and its provision come to for others."""

from __future__ import annotations

from deploy.local.plan import Plan
from deploy.local.provision import Provision
from deploy.local.stack import DatabaseUris, SignIn, Stack


def stack_of(plan: Plan, made: Provision) -> Stack:
    """What `stack.json` says of this stack, save the processes, which the board knows."""
    credentials = plan.credentials
    return Stack(
        base_url=plan.addresses.gateway,
        livekit_url=plan.addresses.livekit,
        livekit_api_key=credentials.livekit_api_key,
        livekit_api_secret=credentials.livekit_api_secret,
        mongodb=DatabaseUris(**plan.addresses.mongodb),
        amqp_url=plan.addresses.amqp,
        redis_url=plan.addresses.redis,
        mail_url=plan.addresses.mail,
        admin=SignIn(email=credentials.admin_email, password=credentials.admin_password),
        host=SignIn(email=credentials.host_email, password=credentials.host_password),
        organization_id=made.organization_id,
        library_id=made.library_id,
        api_key=made.api_key,
        processes={},
    )
