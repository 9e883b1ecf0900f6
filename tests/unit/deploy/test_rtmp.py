"""The RTMP server of a container."""

from pathlib import Path

import pytest

from deploy import rtmp
from deploy.rtmp import RtmpServer, nameservers


def test_a_container_s_server_is_reached_from_outside_and_played_by_its_relay_alone() -> None:
    configuration = RtmpServer.of({"GREENROOM_HOST": "10.1.2.3", "GREENROOM_PORT": "8081"}).configuration()
    for line in ("listen 10.1.2.3:1935;", "listen 10.1.2.3:8081;", "allow play 127.0.0.1;\n"):
        assert line in configuration
    assert configuration.index("allow play") < configuration.index("deny play all;")
    assert "on_publish http://127.0.0.1:8080/rtmp/publish;" in configuration


def test_who_may_play_and_whom_it_asks_are_settings() -> None:
    environ = {"GREENROOM_RTMP_PLAYERS": "10.0.0.0/8,::1", "GREENROOM_RELAY_URL": "http://10.1.2.4:8080"}
    configuration = RtmpServer.of(environ).configuration()
    assert "allow play 10.0.0.0/8; allow play ::1;" in configuration
    assert "on_play http://10.1.2.4:8080/rtmp/play;" in configuration


def test_a_relay_with_a_name_is_looked_up_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """nginx asks for the address of a callback once: the relay that comes after has another one."""
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("search a.example\nnameserver 127.0.0.11\nnameserver fd00::53\noptions ndots:0\n")
    assert nameservers(resolver) == ("127.0.0.11", "[fd00::53]")
    monkeypatch.setattr(rtmp, "nameservers", lambda: nameservers(resolver))
    configuration = RtmpServer.of({"GREENROOM_RELAY_URL": "http://relay:8080"}).configuration()
    assert "on_publish http://127.0.0.1:1936/rtmp/publish;" in configuration
    assert "resolver 127.0.0.11 [fd00::53] valid=5s ipv6=off;" in configuration
    for line in ("listen 127.0.0.1:1936;", "set $relay http://relay:8080;", "proxy_pass $relay;"):
        assert line in configuration
