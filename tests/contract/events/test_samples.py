"""Every event has stored samples, and each must be read for as long as its version lives.

`samples/<name>.json` holds the CloudEvents headers and the data of one event. Where a field is added to an
event, its samples stay and one with the field joins them as `samples/<name>.<what>.json`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.bus.codec import decode, encode
from shared.contracts.registry import event_classes

FOLDER = Path(__file__).parent / "samples"
SAMPLES = sorted(FOLDER.glob("*.json"))


def sample_of(path: Path) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads(path.read_text())
    return sample


def again(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample after it was read and written by this release."""
    message = encode(decode(sample["headers"], json.dumps(sample["data"]).encode()))
    return {"headers": message.headers, "data": json.loads(message.body)}


def holds(whole: Any, part: Any) -> bool:
    """Whether all of `part` is in `whole` with the same values."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and holds(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_without_loss(path: Path) -> None:
    sample = sample_of(path)
    assert path.name.startswith(f"{sample['headers']['ce-type']}."), "the file is named after its event"
    assert holds(again(sample), sample)


@pytest.mark.parametrize("name", event_classes())
def test_an_event_has_a_sample_with_all_its_fields(name: str) -> None:
    samples = [sample_of(path) for path in SAMPLES]
    mine = [sample for sample in samples if sample["headers"]["ce-type"] == name]
    assert mine, f"store one as tests/contract/events/samples/{name}.json"
    assert any(again(sample) == sample for sample in mine), f"a field of {name} is in no sample"


def test_a_sample_has_an_event() -> None:
    orphans = {sample_of(path)["headers"]["ce-type"] for path in SAMPLES} - set(event_classes())
    assert not orphans, "an event that was ever published is not removed, it gets a new version beside it"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_fields_of_a_later_release_are_ignored(path: Path) -> None:
    sample = sample_of(path)
    later = {**sample, "data": {**sample["data"], "of_a_later_release": {"any": ["thing"]}}}
    assert again(later) == again(sample)
