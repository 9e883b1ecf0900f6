"""An encoder's requests by WHIP, as one without media: its description, candidates and what comes back."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.contract.api.client import Answer, Client

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
_MEDIA = (
    "a=ice-ufrag:abcd",
    "a=ice-pwd:abcdefghijklmnopqrstuvwx",
    "a=fingerprint:sha-256 " + ":".join(["AA"] * 32),
    "a=setup:actpass",
    "a=rtcp-mux",
    "a=sendonly",
)
OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        *_MEDIA,
        "a=rtpmap:111 opus/48000/2",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 0.0.0.0",
        "a=mid:1",
        *_MEDIA,
        "a=rtpmap:96 H264/90000",
        "",
    )
)


def fragment(user: str, password: str) -> str:
    """ICE credentials and one candidate."""
    return "\r\n".join(
        (
            f"a=ice-ufrag:{user}",
            f"a=ice-pwd:{password}",
            "m=audio 9 UDP/TLS/RTP/SAVPF 0",
            "a=mid:0",
            "a=candidate:1 1 UDP 2130706431 127.0.0.1 50000 typ host",
            "a=end-of-candidates",
            "",
        )
    )


@dataclass(frozen=True)
class SilentEncoder:
    """`url` is the address with the key."""

    client: Client
    url: str

    async def connect(self, path: str | None = None, **headers: str) -> Answer:
        """POST to the address, or to another `path` of the gateway."""
        sent = {"Content-Type": SDP} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.raw("POST", path or urlsplit(self.url).path, body=OFFER, headers=sent)

    async def patch(self, location: str, body: str, if_match: str | None) -> Answer:
        sent = {"Content-Type": FRAGMENT} | ({"If-Match": if_match} if if_match else {})
        return await self.client.raw("PATCH", urlsplit(location).path, body=body, headers=sent)

    async def end(self, location: str) -> Answer:
        return await self.client.raw("DELETE", urlsplit(location).path)
