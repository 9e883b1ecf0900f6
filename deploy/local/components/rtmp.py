"""RTMP: a private nginx takes what encoders send, the relay passes it on into LiveKit rooms."""

from __future__ import annotations

import sys

from deploy.local import probes
from deploy.local.component import Component, Tier
from deploy.local.components.services import PROJECT, common_env, livekit_env, url_env
from deploy.local.files import write_atomically
from deploy.local.plan import Plan
from deploy.local.ports import LOOPBACK
from deploy.local.programs import NGINX, rtmp_module


def components(plan: Plan) -> list[Component]:
    """Nothing where nginx is not among the programs: sessions have LiveKit's ingress then."""
    return [_server(plan), _relay(plan)] if NGINX.name in plan.programs else []


def _server(plan: Plan) -> Component:
    folder = plan.data.data_of("rtmp")
    config = folder / "nginx.conf"
    write_atomically(config, _configuration(plan))
    where = ("-p", str(folder), "-c", str(config), "-e", "stderr")
    return Component(
        name="rtmp",
        argv=(str(plan.programs[NGINX.name]), *where),
        port=plan.ports["rtmp"],
        probe=probes.rtmp,
        tier=Tier.MEDIA,
        cwd=folder,
        needs=("relay",),
    )


def _relay(plan: Plan) -> Component:
    own = {"GREENROOM_RTMP_URL": plan.addresses.rtmp, "GREENROOM_SPOOL": str(plan.data.data_of("relay"))}
    return Component(
        name="relay",
        argv=(sys.executable, "-m", "services.relay"),
        port=plan.ports["relay"],
        probe=probes.readyz,
        tier=Tier.MEDIA,
        cwd=PROJECT,
        env=common_env(plan, "relay") | livekit_env(plan) | url_env(plan, "egress") | own,
    )


def _configuration(plan: Plan) -> str:
    """One process, in the foreground. Players are only our own relay, on this machine."""
    relay = f"http://{LOOPBACK}:{plan.ports['relay']}/rtmp"
    return f"""\
load_module {rtmp_module()};
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
rtmp {{
    access_log off;
    ping 10s;
    ping_timeout 10s;
    server {{
        listen {LOOPBACK}:{plan.ports["rtmp"]};
        chunk_size 4096;
        application live {{
            live on;
            drop_idle_publisher 10s;
            allow play {LOOPBACK};
            deny play all;
            notify_method post;
            on_publish {relay}/publish;
            on_publish_done {relay}/done;
            on_update {relay}/update;
            notify_update_timeout 3s;
            notify_update_strict on;
        }}
    }}
}}
"""
