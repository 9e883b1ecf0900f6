"""A picture that stands for a recording. Blocking: for a thread."""

from __future__ import annotations

import io

import av
from PIL import Image

_WIDTH = 640
_QUALITY = 82


def poster(segment: bytes) -> bytes | None:
    """The first picture of a segment as JPEG, 640 wide; None where there is none."""
    with av.open(io.BytesIO(segment), "r", format="mpegts") as container:
        if not container.streams.video:
            return None
        frame = next(container.decode(video=0), None)
        if frame is None:
            return None
        image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    image.thumbnail((_WIDTH, _WIDTH))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
