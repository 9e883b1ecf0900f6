"""The Helm chart's README.md and values.schema.json, made from its values.yaml and the settings classes."""

from pathlib import Path
from typing import Final

from deploy.documents.chart.readme import readme
from deploy.documents.chart.schema import schema
from deploy.documents.chart.values import read_values

__all__ = ["CHART", "chart_documents", "read_values"]

CHART: Final = Path(__file__).parents[2] / "helm" / "greenroom"


def chart_documents() -> dict[str, bytes]:
    """The documents by file name."""
    values = read_values((CHART / "values.yaml").read_text())
    return {"README.md": readme(values), "values.schema.json": schema(values)}
