"""The poster image of a recording. Blocking: for a thread."""

import io

import av
from PIL import Image

_WIDTH = 640
_QUALITY = 82


def poster(segment: bytes) -> bytes | None:
    """The first frame of a segment as JPEG, 640 pixels wide; None if there is none."""
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
