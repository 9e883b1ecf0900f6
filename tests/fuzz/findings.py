"""What was found: each kind of fault once, with its first case, counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Finding:
    """`operation` as METHOD path; `sample` is a curl command; `answer` the beginning of the body."""

    operation: str
    check: str
    status: int
    caller: str
    message: str
    sample: str
    answer: str
    times: int = 1


class Findings:
    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int], Finding] = {}
        self.cases = 0
        self.statuses: Counter[int] = Counter()
        self.by_caller: Counter[str] = Counter()
        self.by_status: Counter[tuple[int, str]] = Counter()
        self.by_operation: dict[str, Counter[int]] = {}

    def count(self, operation: str, caller: str, status: int) -> None:
        self.cases += 1
        self.statuses[status] += 1
        self.by_caller[caller] += 1
        self.by_status[status, caller] += 1
        self.by_operation.setdefault(operation, Counter())[status] += 1

    def add(self, finding: Finding) -> None:
        key = (finding.operation, finding.check, finding.status)
        known = self._found.setdefault(key, finding)
        if known is not finding:
            known.times += 1

    def all(self) -> list[Finding]:
        return sorted(self._found.values(), key=lambda finding: (finding.operation, finding.check))

    def reached(self) -> Mapping[str, bool]:
        """Operation -> whether any case of it succeeded."""
        return {name: any(status < 300 for status in seen) for name, seen in self.by_operation.items()}

    def summary(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "cases": self.cases,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "callers": dict(self.by_caller),
            "operations": len(self.by_operation),
            "operations_that_succeeded": sum(self.reached().values()),
            "never_succeeded": sorted(name for name, once in self.reached().items() if not once),
            "findings": [asdict(finding) for finding in self.all()],
        }
