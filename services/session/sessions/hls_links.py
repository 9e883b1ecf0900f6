"""The URLs under which streams are played."""

from datetime import timedelta

from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.session_access import is_banned
from shared.clock import Clock
from shared.files.paths import PathSigner

# The purpose of their tokens, which the egress service verifies.
PURPOSE = "hls"
# A token lasts for as long as somebody may watch, and is the same for an hour.
_HOUR = timedelta(hours=1)
_LASTS = timedelta(hours=24)


class HlsLinks:
    def __init__(self, public_url: str, signer: PathSigner, clock: Clock):
        self._public_url = public_url.rstrip("/")
        self._signer = signer
        self._clock = clock

    def url(self, session: Session, viewer: Caller | None) -> str | None:
        """The stream's URL for `viewer`; None if there is no stream, and for banned people.

        That does not stop people who have it already, or who ask anonymously. If the library is not public, a
        token is in the path, which relative URLs of segments keep.
        """
        path = session.hls_path
        if path is None or (viewer and is_banned(session, viewer)):
            return None
        if session.listed:
            return self._public_url + path
        return f"{self._public_url}/hls/{self._token(session.id)}{path.removeprefix('/hls')}"

    def _token(self, session_id: str) -> str:
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        return self._signer.sign(session_id, hour + _HOUR + _LASTS)
