"""The client's address, directly and through proxies."""

from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from services.gateway.http.client_address import ClientAddressResolver
from shared.http.addresses import client_network

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


TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]
PROXY = "10.1.2.3"


def _address(*headers: tuple[str, str], peer: str = PROXY) -> str:
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers)).clone(remote=peer)
    resolver = ClientAddressResolver(TRUSTED)
    address = resolver.address_of(request)
    assert resolver.resolve(request).address == address
    return address


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("", PROXY),
        ("junk", PROXY),
        ("junk, 10.0.0.9", "10.0.0.9"),
        ("198.51.100.7, junk, 10.0.0.9", "10.0.0.9"),
        ("unknown", PROXY),
        ("203.0.113.101:50123", "203.0.113.101"),
        ("203.0.113.101:50123, 10.0.0.9:443", "203.0.113.101"),
        ("203.0.113.101:", "203.0.113.101"),
        ("203.0.113.101:70000", PROXY),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8::1, [2001:db8:ffff::2]:80", "2001:db8::1"),
        ("[203.0.113.101]:443", PROXY),
        ("[2001:db8::1]443", PROXY),
        ("::ffff:203.0.113.101", "203.0.113.101"),
        ("[::ffff:203.0.113.101]:1", "203.0.113.101"),
        ("64:ff9b::203.0.113.101", "203.0.113.101"),
        ("fe80::1%eth0", "fe80::1"),
        ("_hidden-7", "_hidden-7"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ('6.6.6.6, "203.0.113.101", 10.0.0.9', "203.0.113.101"),
        ('"6.6.6.6, 203.0.113.101"', "203.0.113.101"),
        ('"', PROXY),
        ("_" + "x" * 100, PROXY),
        ("203.0.113.5 , , 10.0.0.9 ,", "203.0.113.5"),
    ],
)
def test_an_address_is_read_in_every_form_that_proxies_write(chain: str, address: str) -> None:
    assert _address(("X-Forwarded-For", chain)) == address


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("for=203.0.113.101", "203.0.113.101"),
        ("For=203.0.113.101;proto=https;by=10.0.0.9", "203.0.113.101"),
        ('for="203.0.113.101:50123"', "203.0.113.101"),
        ('for="[2001:db8::1]:443"', "2001:db8::1"),
        ('for="[2001:db8::1]", for=10.0.0.9', "2001:db8::1"),
        ('proto=https ; for="\\2\\03.0.113.101"', "203.0.113.101"),
        ("for=6.6.6.6, for=203.0.113.101, for=10.0.0.9", "203.0.113.101"),
        ("for=203.0.113.101,for=unknown", PROXY),
        ("for=_gazonk", "_gazonk"),
        ('for="_gazonk:443"', "_gazonk"),
        ('for="_gazonk:_port"', "_gazonk"),
        ('for="203.0.113.101:_port-1.x"', "203.0.113.101"),
        ('for="[2001:db8::1]:_port"', "2001:db8::1"),
        ('for="203.0.113.101:_"', PROXY),
        ('for="203.0.113.101:port"', PROXY),
        ("for=6.6.6.6, for=_SEVKISEK", "_SEVKISEK"),
        ("by=10.0.0.9", PROXY),
        # Quotes that a client left open do not turn what it invented into what the proxy said.
        ('for=6.6.6.6;x=", for=203.0.113.101', PROXY),
        ('for=6.6.6.6;x=", for="203.0.113.101"', PROXY),
        ("for=6.6.6.6 for=7.7.7.7", PROXY),
        ("", PROXY),
    ],
)
def test_the_standard_header_is_read_too(chain: str, address: str) -> None:
    assert _address(("Forwarded", chain)) == address


def test_several_lines_of_a_header_are_one_chain() -> None:
    lines = ("6.6.6.6", "203.0.113.101:1, 10.0.0.8", "10.0.0.9")
    assert _address(*(("X-Forwarded-For", line) for line in lines)) == "203.0.113.101"
    assert _address(*(("Forwarded", f'for="{line}"') for line in ("6.6.6.6", "7.7.7.7"))) == "7.7.7.7"


@pytest.mark.parametrize("invented", ["6.6.6.6", "7.7.7.7", "_x", "junk"])
def test_of_two_headers_that_disagree_none_is_believed(invented: str) -> None:
    """The proxy writes one of them; the other is what the client sent, and which is which nobody knows."""
    assert _address(("X-Forwarded-For", "203.0.113.101"), ("Forwarded", f"for={invented}")) == PROXY
    assert _address(("X-Forwarded-For", invented), ("Forwarded", "for=203.0.113.101")) == PROXY


@pytest.mark.parametrize(
    ("plain", "forwarded", "address"),
    [
        # The outer proxy writes one header, the inner one the other, in which it names the outer.
        ("10.0.0.9", "for=203.0.113.101", "203.0.113.101"),
        ("203.0.113.101", "for=10.0.0.9", "203.0.113.101"),
        ("10.0.0.8, 10.0.0.9:443", 'for="[2001:db8::1]:443"', "2001:db8::1"),
        ("10.0.0.9", "for=6.6.6.6, for=203.0.113.101", "203.0.113.101"),
        ("10.0.0.9", "for=10.0.0.8", PROXY),
        ("10.0.0.9", "for=10.0.0.9", "10.0.0.9"),
        # What the client invented for the outer proxy to pass on makes nobody else of it.
        ("6.6.6.6, 10.0.0.9", "for=203.0.113.101", PROXY),
        # A client that its proxy cannot name is not one that its own header names.
        ("unknown", "for=6.6.6.6", PROXY),
        ("unknown, 10.0.0.9", "for=6.6.6.6", PROXY),
    ],
)
def test_a_chain_of_proxies_of_which_each_writes_another_header(
    plain: str, forwarded: str, address: str
) -> None:
    assert _address(("X-Forwarded-For", plain), ("Forwarded", forwarded)) == address


def test_two_headers_that_agree_are_one() -> None:
    both = (("X-Forwarded-For", "2001:db8:0::1"), ("Forwarded", 'for="[2001:db8::1]:443"'))
    assert _address(*both) == "2001:db8::1"


def test_a_proxy_is_known_by_its_ipv4_address_on_an_ipv6_socket() -> None:
    assert _address(("X-Forwarded-For", "203.0.113.101"), peer="::ffff:10.1.2.3") == "203.0.113.101"
    assert _address(("X-Forwarded-For", "203.0.113.101"), peer="::ffff:192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        (
            [("Forwarded", 'for=203.0.113.101;proto=HTTPS;host="live.example:8443"')],
            "https",
            "live.example:8443",
        ),
        ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http")], "http", "gateway:8000"),
        (
            [("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Host", "live.example")],
            "http",
            "live.example",
        ),
        ([], "http", "gateway:8000"),
    ],
)
def test_the_nearest_proxy_says_by_which_scheme_and_name_it_was_called(
    headers: list[tuple[str, str]], scheme: str, host: str
) -> None:
    every = CIMultiDict([("Host", "gateway:8000"), *headers])
    request = make_mocked_request("GET", "/", headers=every).clone(remote=PROXY)
    client = ClientAddressResolver(TRUSTED).resolve(request)
    assert (client.scheme, client.host) == (scheme, host)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("64:ff9b::c000:207", "192.0.2.7"),
        ("_gazonk", "_gazonk"),
        ("", "unknown"),
    ],
)
def test_an_address_stands_for_what_one_client_may_choose_from(address: str, counted: str) -> None:
    assert client_network(address) == counted
