"""RabbitMQ as a private node, with an epmd of its own: two stacks never meet."""

from __future__ import annotations

from pathlib import Path

from deploy.local import probes
from deploy.local.component import Component, Tier
from deploy.local.components.rabbitmq_home import lean_server
from deploy.local.files import write_atomically
from deploy.local.plan import Plan
from deploy.local.ports import LOOPBACK
from deploy.local.programs import EPMD, RABBITMQ

# One scheduler that does not spin: the broker shares the machine with everything else.
ERL_ARGS = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


def components(plan: Plan) -> list[Component]:
    if plan.given.amqp_url:
        return []
    return [_epmd(plan), _broker(plan)]


def _epmd(plan: Plan) -> Component:
    port = plan.ports["epmd"]
    return Component(
        name="epmd",
        argv=(str(plan.programs[EPMD.name]), "-address", LOOPBACK, "-port", str(port)),
        port=port,
        probe=probes.epmd,
        tier=Tier.INFRASTRUCTURE,
        cwd=plan.data.data_of("rabbitmq"),
    )


def _broker(plan: Plan) -> Component:
    home = plan.data.data_of("rabbitmq")
    _write_configuration(plan, home)
    return Component(
        name="rabbitmq",
        argv=(str(lean_server(plan.programs[RABBITMQ.name], home / "server")),),
        port=plan.ports["rabbitmq"],
        probe=probes.amqp,
        tier=Tier.INFRASTRUCTURE,
        cwd=home,
        env=_environment(plan, home),
        needs=("epmd",),
    )


def _write_configuration(plan: Plan, home: Path) -> None:
    """The cookie, no plugins, and the one user, made when the node first starts."""
    credentials = plan.credentials
    cookie = home / ".erlang.cookie"
    if not cookie.exists():
        write_atomically(cookie, credentials.erlang_cookie, mode=0o400)
    write_atomically(home / "enabled_plugins", "[].\n")
    write_atomically(
        home / "rabbitmq.conf",
        f"default_user = {credentials.rabbitmq_user}\n"
        f"default_pass = {credentials.rabbitmq_password}\n"
        "disk_free_limit.absolute = 100MB\n"
        "log.file = false\n"
        "log.console = true\n"
        "log.console.level = warning\n"
        "log.connection.level = error\n",  # a probe is no client that broke off
    )


def _environment(plan: Plan, home: Path) -> dict[str, str]:
    """Every path and port is private. RUNNING_UNDER_SYSTEMD makes the node itself our child, not a shell."""
    return {
        "HOME": str(home),
        "ERL_EPMD_PORT": str(plan.ports["epmd"]),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_NODENAME": "greenroom@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(plan.ports["rabbitmq"]),
        "RABBITMQ_DIST_PORT": str(plan.ports["rabbitmq-dist"]),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "absent.config"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "absent.env"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERL_ARGS,
        "RABBITMQ_LOG": "warning,-color",
        "RUNNING_UNDER_SYSTEMD": "true",
    }
