"""How a preset has cameras shown in the grid of streams and recordings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.session.catalog.presets.schemas import CreatePresetRequest, UpdatePresetRequest
from shared.contracts.states import PresetSettings, VideoFit

PRESET = {"name": "P", "type": "whip", "primary_color": "#112233"}


def test_cameras_fill_their_boxes_unless_a_preset_says_otherwise() -> None:
    assert CreatePresetRequest.model_validate(PRESET).settings().grid_video_fit is VideoFit.FILL
    fit = CreatePresetRequest.model_validate(PRESET | {"grid_video_fit": "fit"})
    assert fit.settings().grid_video_fit is VideoFit.FIT


def test_null_returns_to_the_default_and_what_is_absent_stays() -> None:
    assert UpdatePresetRequest.model_validate({"grid_video_fit": None}).changes() == {
        "grid_video_fit": "fill"
    }
    assert UpdatePresetRequest.model_validate({"chat_enabled": True}).changes() == {"chat_enabled": True}


@pytest.mark.parametrize("value", ["cover", "", True, 1])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        CreatePresetRequest.model_validate(PRESET | {"grid_video_fit": value})


def test_presets_from_before_are_read() -> None:
    assert PresetSettings.model_validate(PRESET).grid_video_fit is VideoFit.FILL
