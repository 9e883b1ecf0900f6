"""Whose account a request is counted on, and what the settings allow."""

import pytest
from pydantic import ValidationError

from services.gateway.clients import Client
from services.gateway.identity import Identified
from services.gateway.limiting.subjects import network, tenant
from services.gateway.settings import GatewaySettings
from services.gateway.visit import Visit
from shared.contracts.states import UserRole
from shared.identity import Caller


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
    ],
)
def test_an_address_stands_for_what_one_client_may_choose_from(address: str, counted: str) -> None:
    assert network(address) == counted


def _visit(caller: Caller | None) -> Visit:
    identified = Identified(caller, "Bearer x") if caller else None
    return Visit("r", Client("192.0.2.7", "http", "h"), {}, "/", identified=identified)


@pytest.mark.parametrize(
    ("caller", "counted"),
    [
        (Caller("u", "s", "o", UserRole.HOST, "Ada"), "organization:o"),
        (Caller("u", "k", "o", UserRole.HOST, "Ada", api_key_id="k"), "organization:o"),
        (Caller("u", "s", "o", UserRole.VIEWER, "Ada"), "user:u"),
        (Caller("u", "s", None, UserRole.VIEWER, "Ada"), "user:u"),
        (None, "address:192.0.2.7"),
    ],
)
def test_hosts_share_their_organization_s_account_and_viewers_have_their_own(
    caller: Caller | None, counted: str
) -> None:
    assert tenant(_visit(caller)) == counted


@pytest.mark.parametrize("bad", ["", "many", "10", "10/minute;5/second", "10/fortnight"])
def test_a_rate_that_cannot_be_read_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings.model_validate({"rate_limit_writes": bad})
