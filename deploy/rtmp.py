"""nginx with its RTMP module: receives from encoders, asks the relay about each, and lets the relay play."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

NGINX = "/usr/sbin/nginx"
MODULES = ("/usr/lib/nginx/modules/ngx_rtmp_module.so", "/usr/lib64/nginx/modules/ngx_rtmp_module.so")


def module() -> Path | None:
    """nginx's module for RTMP."""
    return next((Path(path) for path in MODULES if Path(path).exists()), None)


@dataclass(frozen=True)
class RtmpServer:
    """`listen` and `health` are addresses and ports, `players` the addresses that may play."""

    listen: str
    relay_url: str
    players: tuple[str, ...] = ("127.0.0.1",)
    health: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> RtmpServer:
        """The server of a container: beside its relay, whom it asks on the loopback address."""
        host = environ.get("GREENROOM_HOST", "127.0.0.1")
        return cls(
            listen=f"{host}:{environ.get('GREENROOM_RTMP_PORT', '1935')}",
            relay_url=environ.get("GREENROOM_RELAY_URL", "http://127.0.0.1:8080"),
            players=tuple(environ.get("GREENROOM_RTMP_PLAYERS", "127.0.0.1").split(",")),
            health=f"{host}:{environ.get('GREENROOM_PORT', '8000')}",
        )

    def run(self) -> NoReturn:
        """Become nginx; what it writes goes into a private folder."""
        folder = tempfile.mkdtemp(prefix="rtmp-")
        config = Path(folder, "nginx.conf")
        config.write_text(self.configuration())
        os.execv(NGINX, [NGINX, "-p", folder, "-c", str(config), "-e", "stderr"])  # noqa: S606

    def configuration(self) -> str:
        """One process, in the foreground."""
        relay = f"{self.relay_url}/rtmp"
        allowed = " ".join(f"allow play {player};" for player in self.players)
        return f"""\
load_module {module()};
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
{self._health()}rtmp {{
    access_log off;
    ping 10s;
    ping_timeout 10s;
    server {{
        listen {self.listen};
        chunk_size 4096;
        on_connect {relay}/connect;
        notify_method post;
        application live {{
            live on;
            wait_key off;  # It knows those of H.264 alone.
            drop_idle_publisher 10s;
            {allowed}
            deny play all;
            on_publish {relay}/publish;
            on_play {relay}/play;
            on_publish_done {relay}/done;
            on_update {relay}/update;
            notify_update_timeout 1s;
            notify_update_strict on;
        }}
    }}
}}
"""

    def _health(self) -> str:
        if self.health is None:
            return ""
        folders = " ".join(
            f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return f"""\
http {{
    access_log off;
    {folders}
    server {{
        listen {self.health};
        location = /healthz {{ return 200 "ok"; }}
    }}
}}
"""
