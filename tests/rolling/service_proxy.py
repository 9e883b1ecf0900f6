"""What a Kubernetes Service is to its clients: a connection goes to one of the endpoints, and stays there.

It knows nothing of HTTP. An endpoint joins when it is ready, and is taken out when its process is told to
stop, a little later than that: every node has to hear of it. Connections that are open then are left alone;
nobody else takes them over, and nothing is sent twice.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from deploy.local import probes
from deploy.local.ports import LOOPBACK

# How much later than the process a node hears that an endpoint is stopping.
LAG_SECONDS = 0.5
_PROBE_SECONDS = 0.1
_PIECE = 64 * 1024


class ServiceProxy:
    """`port` is where clients find the service."""

    def __init__(self, port: int):
        self.port = port
        self._endpoints: list[int] = []
        self._turns = itertools.count()
        self._open: set[asyncio.StreamWriter] = set()

    async def join(self, endpoint: int, within: float) -> None:
        """Send connections to this port, too, as soon as it is ready. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not await probes.readyz(endpoint):
                await asyncio.sleep(_PROBE_SECONDS)
        self._endpoints.append(endpoint)

    async def leave(self, endpoint: int) -> None:
        """Send it no further connections, after the lag."""
        await asyncio.sleep(LAG_SECONDS)
        self._endpoints.remove(endpoint)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["ServiceProxy"]:
        server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        try:
            yield self
        finally:
            server.close()
            for writer in self._open:
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            # There is no endpoint, or it has just gone: the client's connection breaks.
            with suppress(IndexError, OSError):
                await self._connect(reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen = self._endpoints[next(self._turns) % max(1, len(self._endpoints))]
        its_reader, its_writer = await asyncio.open_connection(LOOPBACK, chosen)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, its_writer))
                group.create_task(_copy(its_reader, writer))
        except* OSError:
            pass
        finally:
            its_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
