"""Data about what was revoked."""

from shared.http import Data
from shared.http.schema import Moment, Query
from shared.revocations import Revoked


class RevokedQuery(Query):
    since: Moment


class RevokedResponse(Data):
    revoked: list[Revoked]
