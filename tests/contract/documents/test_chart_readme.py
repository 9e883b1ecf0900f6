"""The chart's README says what every value is."""

from deploy.documents.chart import CHART, read_values
from deploy.documents.chart.readme import descriptions


def test_every_value_says_what_it_is() -> None:
    said = descriptions(read_values((CHART / "values.yaml").read_text()))
    assert len(said) > 100
    assert [name for name, text in said.items() if not text] == []
