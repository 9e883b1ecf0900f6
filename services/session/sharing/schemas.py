"""HTTP bodies and data about a session's addresses."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.http import Body, Data


class ShareUrlsResponse(Data):
    """`hls_url` is null until there is a stream."""

    watch_url: str
    studio_url: str
    embed_url: str
    embed_html: str
    hls_url: str | None


class StudioUrlResponse(Data):
    studio_url: str
    code: str
    expires_at: datetime


class GenerateAuthCodeRequest(Body):
    session_id: Annotated[str, Field(min_length=1, max_length=64)]


class GenerateAuthCodeResponse(Data):
    code: str
    expires_in: int
