"""What each service holds in memory."""

from pathlib import Path

from tests.bench.rows import Row
from tests.running_stack import RunningStack

SERVICES = ("gateway", "session", "egress", "attendance")
GOAL_MB = 120.0


def rows(stack: RunningStack) -> list[Row]:
    """A row a service: its resident memory now."""
    return [
        Row(
            f"memory of {name}",
            resident_mb(stack.info.processes[name].pid),
            "MB",
            goal=GOAL_MB,
            at_most=True,
            absolute=True,
        )
        for name in SERVICES
    ]


def resident_mb(pid: int) -> float:
    """Resident set in megabytes, from the kernel's own account."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} has no resident memory")
