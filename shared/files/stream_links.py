"""The addresses of streams, with a token in them if the library is not open to all."""

from datetime import timedelta
from typing import Final, Protocol

from shared.clock import Clock
from shared.files.paths import PathSigner, link_subject

# The purpose of the tokens: the session service signs them as well, the egress service verifies them.
HLS_LINKS: Final = "hls"
# A token lasts for as long as somebody may watch, and is the same for an hour.
_HOUR: Final = timedelta(hours=1)
_LASTS: Final = timedelta(hours=24)


class Linked(Protocol):
    """A session, or the stream of one, which has the same id."""

    @property
    def id(self) -> str: ...
    @property
    def listed(self) -> bool: ...
    @property
    def registered_only(self) -> bool | None: ...


class StreamLinks:
    """`public_url` is what they begin with."""

    def __init__(self, public_url: str, signer: PathSigner, clock: Clock):
        self._public_url = public_url.rstrip("/")
        self._signer = signer
        self._clock = clock

    def hls(self, stream: Linked, path: str) -> str:
        """The URL of a playlist; `path` begins with "/hls/".

        The token is in the path, which the relative URLs of segments keep.
        """
        if _open_to_all(stream):
            return self._public_url + path
        return f"{self._public_url}/hls/{self._token(stream)}{path.removeprefix('/hls')}"

    def preview(self, stream: Linked) -> str:
        """The URL of the stream's latest picture, which the same people may have."""
        url = f"{self._public_url}/sessions/{stream.id}/preview.jpg"
        return url if _open_to_all(stream) else f"{url}?token={self._token(stream)}"

    def _token(self, stream: Linked) -> str:
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        subject = link_subject(stream.id, registered_only=bool(stream.registered_only))
        return self._signer.sign(subject, hour + _HOUR + _LASTS)


def _open_to_all(stream: Linked) -> bool:
    return stream.listed and not stream.registered_only
