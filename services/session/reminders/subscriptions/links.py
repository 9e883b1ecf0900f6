"""The signed links in mails: confirming an address, and unsubscribing."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from shared.files.paths import PathSigner

PURPOSE: Final = "reminders"
_CONFIRM, _UNSUBSCRIBE = "confirm", "unsubscribe"
# A mail may be found after years; its way out has to work.
_FOR_GOOD = timedelta(days=3650)
CONFIRMED_WITHIN: Final = timedelta(days=7)


class ReminderLinks:
    """For one address in one room each; anybody with the mail may follow them, without credentials."""

    def __init__(self, public_url: str, signer: PathSigner):
        self._public_url = public_url.rstrip("/")
        self._signer = signer

    def confirm(self, room_id: str, recipient: str, now: datetime) -> str:
        return self._url(_CONFIRM, room_id, recipient, now + CONFIRMED_WITHIN)

    def unsubscribe(self, room_id: str, recipient: str, now: datetime) -> str:
        return self._url(_UNSUBSCRIBE, room_id, recipient, now + _FOR_GOOD)

    def check_confirm(self, room_id: str, recipient: str, token: str) -> None:
        """Raises `Forbidden` unless the link is ours and has not expired."""
        self._signer.verify(token, _subject(_CONFIRM, room_id, recipient))

    def check_unsubscribe(self, room_id: str, recipient: str, token: str) -> None:
        self._signer.verify(token, _subject(_UNSUBSCRIBE, room_id, recipient))

    def _url(self, what: str, room_id: str, recipient: str, until: datetime) -> str:
        token = self._signer.sign(_subject(what, room_id, recipient), until)
        query = urlencode({"recipient": recipient, "token": token})
        return f"{self._public_url}/rooms/{room_id}/reminders/{what}?{query}"


def _subject(what: str, room_id: str, recipient: str) -> str:
    return f"{what}\n{room_id}\n{recipient}"
