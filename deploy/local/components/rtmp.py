"""RTMP: a private nginx receives from encoders, the relay passes their streams on into LiveKit rooms."""

from __future__ import annotations

from deploy.local.components.services import livekit_env, service, url_env
from deploy.local.files import write_atomically
from deploy.local.plan import StackPlan
from deploy.local.ports import LOOPBACK
from deploy.local.process import Component, Tier
from deploy.local.programs import NGINX, rtmp_module


def components(plan: StackPlan) -> list[Component]:
    """Nothing if nginx is not among the programs: sessions then use LiveKit's ingress."""
    if NGINX.name not in plan.programs:
        return []
    env = {"GREENROOM_RTMP_URL": plan.addresses.rtmp, "GREENROOM_SPOOL": str(plan.data.data_of("relay"))}
    env |= livekit_env(plan) | url_env(plan, "egress")
    return [_nginx(plan), service(plan, "relay", env, tier=Tier.MEDIA)]


def _nginx(plan: StackPlan) -> Component:
    folder = plan.data.data_of("rtmp")
    config = folder / "nginx.conf"
    write_atomically(config, _configuration(plan))
    return Component(
        name="rtmp",
        argv=(str(plan.programs[NGINX.name]), "-p", str(folder), "-c", str(config), "-e", "stderr"),
        port=plan.ports["rtmp"],
        tier=Tier.MEDIA,
        cwd=folder,
        needs=("relay",),
    )


def _configuration(plan: StackPlan) -> str:
    """One process, in the foreground. The only player is our own relay, on this machine."""
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
