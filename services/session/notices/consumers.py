"""The events that become notices."""

from typing import Final

from services.session.notices.domain import CONFIDENTIAL, TABLE
from services.session.notices.service import NoticeService
from shared.bus import Group

GROUP: Final = "session.notices"


def group(notices: NoticeService) -> Group:
    return Group(GROUP, dict.fromkeys([*TABLE, *CONFIDENTIAL], notices.publish))
