"""The documentation names metrics that there are."""

import re
from pathlib import Path

import pytest

from deploy.documents.metrics import declared_metrics

ROOT = Path(__file__).parents[3]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "deploy/helm/greenroom/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
DATABASES = {"greenroom_session", "greenroom_egress", "greenroom_attendance"}

_NAME = re.compile(r"\bgreenroom_[a-z_]+")


@pytest.fixture(scope="module")
def known() -> set[str]:
    return DATABASES | {metric.name for metric in declared_metrics()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_metric_in_it_exists(document: Path, known: set[str]) -> None:
    assert set(_NAME.findall(document.read_text())) - known == set()
