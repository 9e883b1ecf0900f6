"""nginx with its RTMP module: receives from encoders, asks the relay about each, and lets the relay play."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

NGINX = "/usr/sbin/nginx"
MODULES = ("/usr/lib/nginx/modules/ngx_rtmp_module.so", "/usr/lib64/nginx/modules/ngx_rtmp_module.so")
RESOLVER = Path("/etc/resolv.conf")
# Where callbacks go whose receiver has a name; nobody else reaches it.
_CALLBACKS = "127.0.0.1:1936"


def module() -> Path | None:
    """nginx's module for RTMP."""
    return next((Path(path) for path in MODULES if Path(path).exists()), None)


@dataclass(frozen=True)
class RtmpServer:
    """`listen` and `health` are addresses and ports, `players` the addresses that may play.

    `nameservers` are asked, again and again, where the relay is that `relay_url` names: a relay that was
    replaced has another address. Without them nginx looks once, when it starts.
    """

    listen: str
    relay_url: str
    players: tuple[str, ...] = ("127.0.0.1",)
    health: str | None = None
    nameservers: tuple[str, ...] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> RtmpServer:
        """The server of a container: beside its relay, whom it asks on the loopback address, or elsewhere."""
        host = environ.get("GREENROOM_HOST", "127.0.0.1")
        relay_url = environ.get("GREENROOM_RELAY_URL", "http://127.0.0.1:8080")
        return cls(
            listen=f"{host}:{environ.get('GREENROOM_RTMP_PORT', '1935')}",
            relay_url=relay_url,
            players=tuple(environ.get("GREENROOM_RTMP_PLAYERS", "127.0.0.1").split(",")),
            health=f"{host}:{environ.get('GREENROOM_PORT', '8000')}",
            nameservers=() if _is_address(urlsplit(relay_url).hostname) else nameservers(),
        )

    def run(self) -> NoReturn:
        """Become nginx; what it writes goes into a private folder."""
        folder = tempfile.mkdtemp(prefix="rtmp-")
        config = Path(folder, "nginx.conf")
        config.write_text(self.configuration())
        os.execv(NGINX, [NGINX, "-p", folder, "-c", str(config), "-e", "stderr"])  # noqa: S606

    def configuration(self) -> str:
        """One process, in the foreground."""
        relay = f"http://{_CALLBACKS}/rtmp" if self.nameservers else f"{self.relay_url}/rtmp"
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
{self._callbacks()}}}
"""

    def _callbacks(self) -> str:
        """Passes callbacks on: nginx looks up a name that is in a variable whenever it is used."""
        if not self.nameservers:
            return ""
        return f"""\
    resolver {" ".join(self.nameservers)} valid=5s ipv6=off;
    server {{
        listen {_CALLBACKS};
        set $relay {self.relay_url};
        location / {{ proxy_pass $relay; proxy_redirect off; }}
    }}
"""


def nameservers(file: Path = RESOLVER) -> tuple[str, ...]:
    """Those of the system, as nginx takes them."""
    found = re.findall(r"^nameserver\s+(\S+)", file.read_text(), re.MULTILINE)
    return tuple(f"[{address}]" if ":" in address else address for address in found)


def _is_address(host: str | None) -> bool:
    try:
        return bool(host and ip_address(host))
    except ValueError:
        return False
