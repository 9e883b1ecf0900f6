"""LiveKit's signalling as it passes by: sound is announced with two channels.

The SDK cannot say so (livekit/rust-sdks issue 1018), and LiveKit has unannounced sound encoded with one.
"""

import asyncio
from collections.abc import Callable

import aiohttp
from aiohttp import WSMsgType, web
from livekit.protocol.models import TrackType
from livekit.protocol.rtc import SignalRequest

_PASSED_ON = ("Authorization", "User-Agent")
_ANY_SIZE = 0
_LOOPBACK = "127.0.0.1"


class StereoSignalling:
    """A WebSocket on this machine that leads to LiveKit's, at `url` once it is started."""

    def __init__(self, livekit_url: str):
        self.url = ""
        self._livekit_url = livekit_url.rstrip("/")
        self._runner: web.AppRunner | None = None
        self._client: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._client = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_get("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, _LOOPBACK, 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"ws://{host}:{port}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._client is None:
            raise web.HTTPServiceUnavailable
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        address = self._livekit_url + request.path_qs
        try:
            async with self._client.ws_connect(address, headers=headers, max_msg_size=_ANY_SIZE) as livekit:
                encoder = web.WebSocketResponse(max_msg_size=_ANY_SIZE)
                await encoder.prepare(request)
                there, back = _pass_on(encoder, livekit, announced), _pass_on(livekit, encoder, bytes)
                await asyncio.gather(there, back)
                return encoder
        except aiohttp.WSServerHandshakeError as error:
            # The SDK takes the status for LiveKit's: 404 for a room that is not there yet.
            return web.Response(status=error.status)
        except aiohttp.ClientError as error:
            raise web.HTTPBadGateway from error


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _pass_on(source: _Socket, target: _Socket, change: Callable[[bytes], bytes]) -> None:
    async for message in source:
        if message.type is WSMsgType.BINARY:
            await target.send_bytes(change(message.data))
        elif message.type is WSMsgType.TEXT:
            await target.send_str(message.data)
    await target.close()


def announced(request: bytes) -> bytes:
    """The same request to LiveKit; sound that it announces has two channels. Pure."""
    signal = SignalRequest.FromString(request)
    if signal.WhichOneof("message") != "add_track" or signal.add_track.type != TrackType.AUDIO:
        return request
    signal.add_track.stereo = True
    return signal.SerializeToString()
