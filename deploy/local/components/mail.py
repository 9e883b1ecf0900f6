"""The development mail server: what would be sent can be read on its page."""

from __future__ import annotations

import sys

from deploy.local import probes
from deploy.local.component import Component, Tier
from deploy.local.components.services import PROJECT
from deploy.local.plan import Plan


def components(plan: Plan) -> list[Component]:
    if plan.given.smtp_url:
        return []
    ports = ("--smtp-port", str(plan.ports["mail-smtp"]), "--http-port", str(plan.ports["mail"]))
    return [
        Component(
            name="mail",
            argv=(sys.executable, "-m", "deploy.mail", *ports, "--folder", str(plan.data.data_of("mail"))),
            port=plan.ports["mail"],
            probe=probes.http_root,
            tier=Tier.INFRASTRUCTURE,
            cwd=PROJECT,
        )
    ]
