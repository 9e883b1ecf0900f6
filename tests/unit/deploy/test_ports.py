"""Ports: free ones, the same ones again, and never one for two."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from deploy.local.ports import LOOPBACK, PortBook, PortTaken, is_free


@contextmanager
def busy_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind((LOOPBACK, 0))
        if kind is socket.SOCK_STREAM:
            server.listen()
        yield int(server.getsockname()[1])


def book(tmp_path: Path, seed: int = 1) -> PortBook:
    return PortBook(tmp_path / "ports.json", Random(seed))


def test_a_second_start_gets_the_same_ports(tmp_path: Path) -> None:
    first = book(tmp_path)
    ports = {name: first.take(name) for name in ("redis", "livekit")}
    first.save()
    second = book(tmp_path, seed=2)
    assert {name: second.take(name) for name in ports} == ports


def test_a_remembered_port_that_is_busy_is_replaced(tmp_path: Path) -> None:
    with busy_port() as port:
        (tmp_path / "ports.json").write_text(f'{{"redis": {port}}}')
        assert book(tmp_path).take("redis") != port


def test_no_port_is_handed_out_twice(tmp_path: Path) -> None:
    ports = book(tmp_path)
    taken = [ports.take(f"component-{number}") for number in range(50)]
    assert len(set(taken)) == len(taken)


def test_the_last_port_comes_before_the_preferred_one(tmp_path: Path) -> None:
    first = book(tmp_path)
    last = first.take("gateway")
    first.save()
    assert book(tmp_path).take("gateway", preferred=last + 1) == last


def test_a_busy_preferred_port_is_passed_over(tmp_path: Path) -> None:
    with busy_port() as port:
        assert book(tmp_path).take("gateway", preferred=port) != port


def test_a_busy_required_port_is_refused(tmp_path: Path) -> None:
    with busy_port() as port, pytest.raises(PortTaken, match=str(port)):
        book(tmp_path).take("gateway", required=port)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_in_use_is_not_free(kind: socket.SocketKind) -> None:
    with busy_port(kind) as port:
        assert not is_free(port)
