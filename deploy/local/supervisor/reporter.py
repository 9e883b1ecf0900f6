"""Records the lifecycle of the components: on the console, in state.json and in stack.json."""

from __future__ import annotations

from collections.abc import Callable

from deploy.local.console import Console
from deploy.local.data_dir import DataDir
from deploy.local.process import StackComponent
from deploy.local.stack import ComponentState, Phase, ProcessInfo, Stack, StackState


class StateReporter:
    """`now` gives Unix time in seconds."""

    def __init__(
        self, data: DataDir, components: list[StackComponent], console: Console, now: Callable[[], float]
    ) -> None:
        self._data = data
        self._console = console
        self._now = now
        self._state = StackState.of(components)
        self._stack: Stack | None = None

    def starting(self, name: str, pid: int) -> None:
        self._change(name, Phase.STARTING, pid=pid)

    def ready(self, name: str, seconds: float) -> None:
        component = self._set(name, Phase.READY)
        if self._stack is not None:
            self.publish(self._stack)
        # Last: whoever sees it ready finds its process in stack.json.
        self._save()
        self._console.say(f"{name} is ready on port {component.port} after {seconds:.1f} s")

    def exited(self, name: str, status: int, lines: list[str], restart_in: float) -> None:
        component = self._change(name, Phase.RESTARTING, pid=None)
        component.restarts += 1
        self._save()
        output = "\n".join(f"  {line}" for line in lines)
        self._console.warn(
            name, f"{name} ended with {describe(status)}; starting it again in {restart_in:g} s\n{output}"
        )

    def held(self, name: str) -> None:
        self._change(name, Phase.HELD)

    def taken(self, name: str) -> None:
        port = self._change(name, Phase.TAKEN, pid=None).port
        self._console.warn(name, f"port {port} of {name} is answered by a process that is not ours")
        if self._stack is not None:
            self.publish(self._stack)

    def stopped(self, name: str) -> None:
        self._change(name, Phase.STOPPED, pid=None)

    def publish(self, stack: Stack) -> Stack:
        """Write stack.json, with the processes as they are now; it is kept current from now on."""
        self._stack = stack.model_copy(update={"processes": self._processes()})
        self._stack.save(self._data.stack_file)
        return self._stack

    def withdraw(self) -> None:
        """Remove stack.json: the stack is no longer ready."""
        self._stack = None
        self._data.stack_file.unlink(missing_ok=True)

    def _processes(self) -> dict[str, ProcessInfo]:
        known = self._state.components.values()
        return {c.name: ProcessInfo(pid=c.pid, port=c.port) for c in known if c.pid is not None}

    def _change(self, name: str, phase: Phase, **changes: int | None) -> ComponentState:
        changed = self._set(name, phase, **changes)
        self._save()
        return changed

    def _set(self, name: str, phase: Phase, **changes: int | None) -> ComponentState:
        changed = self._state.components[name].model_copy(
            update={"phase": phase, "since": self._now(), **changes}
        )
        self._state.components[name] = changed
        return changed

    def _save(self) -> None:
        self._state.save(self._data.state_file)


def describe(status: int) -> str:
    """An exit status in words."""
    return f"signal {-status}" if status < 0 else f"exit status {status}"
