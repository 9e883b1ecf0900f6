"""Bodies that do not come whole."""

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from shared.errors import InvalidRequest
from shared.http.bodies import body_pieces, read_bytes


async def test_a_client_that_goes_away_while_it_sends_is_no_bug_of_ours() -> None:
    payload = StreamReader(BaseProtocol(loop=None), 2**16, loop=None)  # type: ignore[arg-type]
    payload.set_exception(ConnectionResetError("Connection lost"))
    request = make_mocked_request("POST", "/", payload=payload)
    with pytest.raises(InvalidRequest):
        await read_bytes(request)
    with pytest.raises(InvalidRequest):
        _ = [piece async for piece in body_pieces(request)]
