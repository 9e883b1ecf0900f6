"""The event of a correction tells its readers all kinds there are."""

import re

from services.egress.drift.domain import GRACE_PERIOD, Kind
from shared.contracts.reconciler_events import DriftRepaired


def test_the_event_names_every_kind() -> None:
    found = re.search(r"`kind` one of ([a-z_,\s]+)\.", DriftRepaired.__doc__ or "")
    assert found is not None
    named = re.split(r",\s+", found[1])
    assert sorted(named) == sorted(Kind)


def test_every_kind_has_its_grace_period() -> None:
    assert GRACE_PERIOD.keys() == set(Kind)
