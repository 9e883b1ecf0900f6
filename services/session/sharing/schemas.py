"""HTTP data about a session's addresses."""

from datetime import datetime

from shared.http import Data


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
