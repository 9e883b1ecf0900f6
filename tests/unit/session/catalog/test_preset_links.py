"""The addresses in a preset, which viewers' pages show as links."""

import pytest
from pydantic import ValidationError

from services.session.catalog.presets.schemas import UpdatePresetRequest


@pytest.mark.parametrize(
    "address", ["https://example.com/a.png", "HTTP://example.com", "/logo.png", "Some words", ""]
)
def test_addresses_of_the_web_are_taken(address: str) -> None:
    body = UpdatePresetRequest(logo=address, logo_destination_url=address)
    assert (body.logo, body.logo_destination_url) == (address, address)


@pytest.mark.parametrize("field", ["logo", "logo_destination_url"])
@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc"],
)
def test_what_would_run_in_a_page_is_refused(field: str, address: str) -> None:
    with pytest.raises(ValidationError, match="http or https"):
        UpdatePresetRequest.model_validate({field: address})
