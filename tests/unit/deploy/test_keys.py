"""`greenroom keys`: what it prints can be put to use as it is."""

import json
from datetime import UTC, datetime

from typer.testing import CliRunner

from deploy.cli import build
from deploy.keys import new_key_id, new_signing_key
from services.session.identity.keys.keyring import Keyring
from services.session.settings import SessionSettings
from shared.access.identity import Caller, TokenIssuer, TokenVerifier
from shared.contracts.states import UserRole
from shared.runtime.settings import base64url
from tests.fakes.fake_clock import FakeClock

HANNA = Caller("u-1", "s-1", "o-1", UserRole.HOST, "Hanna")


def printed(*arguments: str) -> dict[str, str]:
    """The settings that the command prints."""
    result = CliRunner().invoke(build(), ["keys", *arguments])
    assert result.exit_code == 0, result.output
    lines = [line for line in result.output.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_a_printed_signing_key_signs_what_the_printed_public_key_verifies() -> None:
    settings = printed("signing")
    kid, clock = settings["GREENROOM_IDENTITY_SIGNING_KID"], FakeClock()
    issuer = TokenIssuer(base64url(settings["GREENROOM_IDENTITY_PRIVATE_KEY"]), kid, clock)
    verifier = TokenVerifier(json.loads(settings["GREENROOM_IDENTITY_PUBLIC_KEYS"]), clock)
    assert verifier.verify(issuer.issue(HANNA)[0]) == HANNA


def test_the_session_service_takes_them() -> None:
    settings = {name.removeprefix("GREENROOM_").lower(): value for name, value in printed("signing").items()}
    settings["identity_public_keys"] = json.loads(settings["identity_public_keys"])
    keyring = json.loads(printed("sealing")["GREENROOM_KEYRING"])
    secrets = {"refresh_secret": "x" * 32, "keyring": keyring}
    assert SessionSettings.model_validate(settings | secrets).keyring == keyring
    sealed = Keyring(keyring).seal("a secret", "anna")
    assert Keyring(keyring).open(sealed, "anna") == "a secret"


def test_every_key_has_a_name_of_its_own_that_tells_its_day() -> None:
    keys = [new_signing_key(new_key_id(datetime(2030, 1, 2, tzinfo=UTC))) for _ in range(20)]
    assert {key.kid[:9] for key in keys} == {"20300102-"}
    assert len({key.kid for key in keys}) == len({key.private_key for key in keys}) == 20
