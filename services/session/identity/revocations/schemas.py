"""Data about what was revoked."""

from shared.access.revocations import Revoked
from shared.http import Data
from shared.http.schema import Moment, Query


class RevokedQuery(Query):
    since: Moment


class RevokedResponse(Data):
    revoked: list[Revoked]
