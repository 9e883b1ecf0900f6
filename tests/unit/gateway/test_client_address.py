"""The client's address, directly and through proxies."""

from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from services.gateway.http.client_address import ClientAddressResolver

_FORWARDED = {
    "Host": "gateway:8000",
    "X-Forwarded-For": "6.6.6.6, 198.51.100.7, 10.0.0.9",
    "X-Forwarded-Proto": "http, https",
    "X-Forwarded-Host": "live.example",
}


def _request(headers: dict[str, str], peer: str) -> web.BaseRequest:
    return make_mocked_request("GET", "/", headers=headers).clone(remote=peer)


def test_without_trusted_proxies_only_the_connection_counts() -> None:
    client = ClientAddressResolver(()).resolve(_request(_FORWARDED, "192.0.2.1"))
    assert (client.address, client.scheme, client.host) == ("192.0.2.1", "http", "gateway:8000")


@pytest.mark.parametrize("peer", ["192.0.2.1", "", "unix:"])
def test_a_stranger_is_not_believed(peer: str) -> None:
    assert (
        ClientAddressResolver([ip_network("10.0.0.0/8")]).resolve(_request(_FORWARDED, peer)).address == peer
    )


def test_behind_proxies_the_nearest_address_that_is_not_one_of_them_counts() -> None:
    client = ClientAddressResolver([ip_network("10.0.0.0/8")]).resolve(_request(_FORWARDED, "10.1.2.3"))
    assert (client.address, client.scheme, client.host) == ("198.51.100.7", "https", "live.example")


@pytest.mark.parametrize(
    ("chain", "address"), [("", "10.1.2.3"), ("junk", "10.1.2.3"), ("junk, 10.0.0.9", "10.0.0.9")]
)
def test_what_is_no_address_ends_the_chain(chain: str, address: str) -> None:
    clients = ClientAddressResolver([ip_network("10.0.0.0/8")])
    assert clients.resolve(_request({"X-Forwarded-For": chain}, "10.1.2.3")).address == address
