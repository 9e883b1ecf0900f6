"""Ports: free ones, the same ones again, and never one for two."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from deploy.local.ports import LOOPBACK, TCP, UDP, PortBook, PortTaken, is_free


@contextmanager
def busy_port(kind: socket.SocketKind = TCP) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind((LOOPBACK, 0))
        if kind is TCP:
            server.listen()
        yield int(server.getsockname()[1])


def book(tmp_path: Path, seed: int = 1) -> PortBook:
    return PortBook(tmp_path / "ports.json", Random(seed))


def test_a_second_start_gets_the_same_ports(tmp_path: Path) -> None:
    with book(tmp_path) as first:
        ports = {name: first.take(name) for name in ("redis", "livekit")}
        first.save()
    with book(tmp_path, seed=2) as second:
        assert {name: second.take(name) for name in ports} == ports


def test_a_remembered_port_that_is_busy_is_replaced(tmp_path: Path) -> None:
    with busy_port() as port:
        (tmp_path / "ports.json").write_text(f'{{"redis": {port}}}')
        with book(tmp_path) as ports:
            assert ports.take("redis") != port


def test_no_port_is_handed_out_twice(tmp_path: Path) -> None:
    with book(tmp_path) as ports:
        taken = [ports.take(f"component-{number}") for number in range(50)]
    assert len(set(taken)) == len(taken)


def test_two_stacks_that_choose_at_once_never_choose_the_same(tmp_path: Path) -> None:
    names = [f"component-{number}" for number in range(20)]
    with book(tmp_path / "one", seed=7) as one, book(tmp_path / "other", seed=7) as other:
        pairs = [(one.take(name), other.take(name)) for name in names]
    assert len({port for pair in pairs for port in pair}) == 2 * len(names)


@pytest.mark.parametrize("kind", [TCP, UDP])
def test_a_port_is_kept_for_what_will_serve_on_it(tmp_path: Path, kind: socket.SocketKind) -> None:
    with book(tmp_path) as ports, socket.socket(socket.AF_INET, kind) as component:
        port = ports.take("component", kind)
        component.bind((LOOPBACK, port))
        with book(tmp_path / "other") as other, pytest.raises(PortTaken):
            other.take("component", kind, required=port)


def test_a_closed_book_leaves_its_ports_to_others(tmp_path: Path) -> None:
    with book(tmp_path) as ports:
        port = ports.take("component")
    with book(tmp_path / "other") as other:
        assert other.take("component", required=port) == port


def test_the_last_port_comes_before_the_preferred_one(tmp_path: Path) -> None:
    with book(tmp_path) as first:
        last = first.take("gateway")
        first.save()
    with book(tmp_path) as second:
        assert second.take("gateway", preferred=last + 1) == last


@pytest.mark.parametrize("kind", [TCP, UDP])
def test_a_busy_preferred_port_is_passed_over(tmp_path: Path, kind: socket.SocketKind) -> None:
    with busy_port(kind) as port, book(tmp_path) as ports:
        assert ports.take("gateway", preferred=port) != port


def test_a_busy_required_port_is_refused(tmp_path: Path) -> None:
    with busy_port() as port, book(tmp_path) as ports, pytest.raises(PortTaken, match=str(port)):
        ports.take("gateway", required=port)


@pytest.mark.parametrize("kind", [TCP, UDP])
def test_a_port_in_use_is_not_free(kind: socket.SocketKind) -> None:
    with busy_port(kind) as port:
        assert not is_free(port, kind)
