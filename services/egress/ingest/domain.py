"""The ingest of a session: at most one ingress, and none once the session is over."""

from dataclasses import dataclass

from shared.errors import Conflict


@dataclass(frozen=True)
class SessionIngest:
    """What we know of a session's ingest; LiveKit keeps the address and the stream key.

    `claimed` while a call is making the ingress, `publishing` while an encoder sends, as far as reported.
    """

    session_id: str
    ingress_id: str | None
    claimed: bool
    closed: bool
    publishing: bool = False

    def check_open(self) -> None:
        if self.closed:
            raise Conflict("The session is over; it gets no ingest any longer", code="session_over")


def ingress_identity(host_id: str) -> str:
    """The LiveKit identity of the ingress as a participant: a sign-in of the host's own."""
    return f"{host_id}:ingress"
