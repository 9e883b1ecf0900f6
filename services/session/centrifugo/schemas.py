"""The fields we use of Centrifugo's requests, and its answers: a result, an error or a disconnect.

Codes of errors are Centrifugo's own. A client gives up at an error that is not temporary, and at 109 unless
it has a token of Centrifugo's own kind, which ours never have. After a disconnect below 4500 it connects
again by itself, from 4500 on it does not.
"""

from typing import Any, Final

from shared.http import BareData, Body


class ConnectRequest(Body):
    """`data` is sent by the client: {"token": "<access token>"}."""

    data: Any = None


class CentrifugoRefreshRequest(Body):
    """A connection has come to its `expire_at`: whose it is makes no difference."""


class CentrifugoSubscribeRequest(Body):
    """`user` and `meta` are those of the connect proxy's answer."""

    user: Any = None
    channel: Any = None
    meta: Any = None


class Refusal(BareData):
    """`temporary`: the client may try again."""

    code: int
    message: str
    temporary: bool = False


class Disconnect(BareData):
    code: int
    reason: str


class Meta(BareData):
    """`device_id`: the viewer's device, by which a ban may be."""

    device_id: str | None = None


class ConnectResult(BareData):
    """`expire_at` in seconds since 1970: Centrifugo then asks the refresh proxy.

    `meta` is for Centrifugo and us, and never seen by a client.
    """

    user: str
    expire_at: int
    info: dict[str, str]
    meta: Meta


class ConnectReply(BareData):
    result: ConnectResult | None = None
    error: Refusal | None = None
    disconnect: Disconnect | None = None


class RefreshResult(BareData):
    """`expired`: Centrifugo ends the connection, and the client connects again."""

    expired: bool


class RefreshReply(BareData):
    result: RefreshResult | None = None
    error: Refusal | None = None


class SubscribeResult(BareData):
    """An allowed subscription has no further fields."""


class SubscribeReply(BareData):
    result: SubscribeResult | None = None
    error: Refusal | None = None


INTERNAL: Final = Refusal(code=100, message="internal server error", temporary=True)
# Only the operator can mend this, and until then no client is to give up.
UNAUTHORIZED: Final = Refusal(code=101, message="unauthorized", temporary=True)
UNKNOWN_CHANNEL: Final = Refusal(code=102, message="unknown channel")
DENIED: Final = Refusal(code=103, message="permission denied")
NOT_SET_UP: Final = Refusal(code=108, message="GREENROOM_CENTRIFUGO_SECRET is not set", temporary=True)
EXPIRED: Final = Disconnect(code=4001, reason="access token expired")
NO_TOKEN: Final = Disconnect(code=4501, reason="no valid access token")
