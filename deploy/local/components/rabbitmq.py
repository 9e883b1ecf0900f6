"""RabbitMQ as a private node, with an epmd of its own: two stacks never meet."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy.local.data_dir import write_atomically
from deploy.local.plan import StackPlan
from deploy.local.ports import LOOPBACK
from deploy.local.process import StackComponent, Tier
from deploy.local.programs import EPMD, RABBITMQ

# One scheduler that does not spin: the broker shares the machine with everything else.
ERL_ARGS = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


def components(plan: StackPlan) -> list[StackComponent]:
    if plan.overrides.amqp_url:
        return []
    return [_epmd(plan), _broker(plan)]


def _epmd(plan: StackPlan) -> StackComponent:
    port = plan.ports["epmd"]
    return StackComponent(
        name="epmd",
        argv=(str(plan.programs[EPMD.name]), "-address", LOOPBACK, "-port", str(port)),
        port=port,
        tier=Tier.INFRASTRUCTURE,
        cwd=plan.data.data_of("rabbitmq"),
    )


def _broker(plan: StackPlan) -> StackComponent:
    home = plan.data.data_of("rabbitmq")
    _write_configuration(plan, home)
    return StackComponent(
        name="rabbitmq",
        argv=(str(lean_server(plan.programs[RABBITMQ.name], home / "server")),),
        port=plan.ports["rabbitmq"],
        tier=Tier.INFRASTRUCTURE,
        cwd=home,
        env=_environment(plan, home),
        needs=("epmd",),
    )


def _write_configuration(plan: StackPlan, home: Path) -> None:
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


def _environment(plan: StackPlan, home: Path) -> dict[str, str]:
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


OPTIONAL, CORE = "rabbitmq_", "rabbitmq_prelaunch"


def lean_server(script: Path, home: Path) -> Path:
    """The server script to run: in a copy under `home`, or the given one if its plugins are elsewhere.

    The scripts are copied, since they look for everything beside themselves; the libraries are linked.
    """
    installed = script.resolve().parents[1]
    if not (installed / "plugins").is_dir():
        return script
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(installed / "sbin", home / "sbin")
    if (installed / "escript").is_dir():
        (home / "escript").symlink_to(installed / "escript")
    (home / "plugins").mkdir()
    for library in (installed / "plugins").iterdir():
        if not library.name.startswith(OPTIONAL) or library.name.startswith(CORE):
            (home / "plugins" / library.name).symlink_to(library)
    return home / "sbin" / "rabbitmq-server"
