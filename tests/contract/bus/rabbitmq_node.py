"""A private RabbitMQ node, as the local stack runs it, that tests may kill, freeze and restart."""

import asyncio
import os
import signal
from pathlib import Path

from deploy.local import probes
from deploy.local.components import rabbitmq
from deploy.local.data_dir import DataDir
from deploy.local.plan import make_plan
from deploy.local.ports import PortBook
from deploy.local.process import StackComponent
from tests.freeze import freeze

READY_DEADLINE = 40.0
# Said to be given, so that the plan asks for no other program than RabbitMQ.
ELSEWHERE = {
    "GREENROOM_MONGODB_URI": "mongodb://127.0.0.1:9/greenroom",
    "GREENROOM_REDIS_URL": "redis://127.0.0.1:9/0",
    "GREENROOM_LIVEKIT_URL": "ws://127.0.0.1:9",
    "GREENROOM_LIVEKIT_API_KEY": "unused",
    "GREENROOM_LIVEKIT_API_SECRET": "unused",
}

Process = asyncio.subprocess.Process


class RabbitMqNode:
    """One broker with its own epmd, ports, user and data under `home`."""

    def __init__(self, home: Path) -> None:
        data = DataDir.at(home)
        self._ports = PortBook(data.ports_file)
        plan = make_plan(data, ELSEWHERE, self._ports)
        self.url = plan.addresses.amqp
        self._log = plan.data.log_of("rabbitmq")
        self._epmd_component, self._broker_component = rabbitmq.components(plan)
        self._epmd: Process | None = None
        self._broker: Process | None = None

    async def start(self) -> None:
        """Returns when it answers AMQP; what was stored before a kill is there again."""
        if self._epmd is None:
            self._epmd = await self._run(self._epmd_component)
        self._broker = await self._run(self._broker_component)

    async def kill(self) -> None:
        """As a power cut: SIGKILL."""
        self._send(signal.SIGKILL)
        assert self._broker is not None
        await self._broker.wait()

    def freeze(self) -> None:
        assert self._broker is not None
        freeze(self._broker.pid)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    async def stop(self) -> None:
        for process in (self._broker, self._epmd):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
        self._ports.close()

    def _send(self, number: signal.Signals) -> None:
        assert self._broker is not None
        self._broker.send_signal(number)

    async def _run(self, component: StackComponent) -> Process:
        with self._log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *component.argv,
                env={**os.environ, **component.env},
                cwd=component.cwd,
                stdout=output,
                stderr=output,
            )
        async with asyncio.timeout(READY_DEADLINE):
            while not await probes.answers(component.name, component.port):
                assert process.returncode is None, f"{component.name} ended; see {self._log}"
                await asyncio.sleep(0.1)
        return process
