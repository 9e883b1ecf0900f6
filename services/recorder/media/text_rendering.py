"""Text drawn by Pango: any script, shaped, each line in its own direction, with the machine's fonts."""

from typing import Any, Final, NamedTuple

import av
import numpy as np
import structlog
from numpy.typing import NDArray

from services.recorder.media.frames import I420Frame
from services.recorder.media.pango import ELLIPSIZE_END, FORMAT_ARGB32, SCALE, ffi, lib

log = structlog.get_logger(__name__)

# The first that has a letter is used; then any other font of the machine.
_FAMILIES: Final = b"Noto Sans, sans-serif"
# With a language that Pango knows it prefers fonts of each script's own language. It takes the C locale's for
# one of all scripts, and finds some letters of living scripts in the fonts of historic ones.
_LANGUAGE: Final = b"en"

# Of all scripts' lines, in sizes of the font.
_TALLEST: Final = 3

# A word that a machine has the fonts for if it has them for the script.
_SAMPLES: Final = {
    "Latin": "Zoë",
    "Greek": "Ζωή",
    "Cyrillic": "Иван",
    "Armenian": "Արամ",
    "Georgian": "ნინო",
    "Hebrew": "דוד",
    "Arabic": "علي",
    "Devanagari": "राजेश",
    "Bengali": "রহিম",
    "Gurmukhi": "ਸਿੰਘ",
    "Gujarati": "પટેલ",
    "Tamil": "தமிழ்",
    "Telugu": "రాజు",
    "Kannada": "ರಾಜು",
    "Malayalam": "രാജു",
    "Sinhala": "රාජා",
    "Thai": "สมชาย",
    "Lao": "ສົມ",
    "Khmer": "សុខ",
    "Burmese": "အောင်",
    "Amharic": "አበበ",
    "Chinese": "汉漢",
    "Japanese": "やまダ",
    "Korean": "김철수",
    "emoji": "😀",
}


class Colours(NamedTuple):
    """Greys between 0 and 1."""

    ink: float
    paper: float


class TextLine:
    """One line at a font size in pixels; one that is wider than `max_width` ends in an ellipsis.

    `width` and `height` in pixels; `unknown` is how many glyphs no font has: they are drawn as boxes.
    """

    def __init__(self, text: str, pixels: int, max_width: float):
        self._layout = _layout(text, pixels, max_width)
        extents = ffi.new("PangoRectangle *")
        lib.pango_layout_get_extents(self._layout, ffi.NULL, extents)
        # A line that is read from the right begins at the right end of `max_width`.
        self._left = extents.x / SCALE
        self.width = extents.width / SCALE
        # Without any font at all Pango leaves the height undefined.
        self.height = min(max(extents.height / SCALE, pixels), _TALLEST * pixels)

    @property
    def unknown(self) -> int:
        return int(lib.pango_layout_get_unknown_glyphs_count(self._layout))

    def drawn(self, colours: Colours, margin: tuple[int, int]) -> I420Frame:
        """The line with a margin of so many pixels beside and above it on both sides."""
        across, above = margin
        width, height = _even(self.width + 2 * across), _even(self.height + 2 * above)
        surface = _surface(width, height)
        context = _context(surface)
        lib.cairo_set_source_rgb(context, *[colours.paper] * 3)
        lib.cairo_paint(context)
        lib.cairo_set_source_rgb(context, *[colours.ink] * 3)
        lib.cairo_move_to(context, across - self._left, above)
        lib.pango_cairo_show_layout(context, self._layout)
        lib.cairo_surface_flush(surface)
        pixels = ffi.buffer(lib.cairo_image_surface_get_data(surface), width * height * 4)
        return _frame(np.frombuffer(pixels, dtype=np.uint8).reshape(height, width, 4))


def missing_scripts() -> list[str]:
    """Scripts, by name, of which this machine has no fonts."""
    return [script for script, sample in _SAMPLES.items() if TextLine(sample, 16, 1000).unknown]


def report_missing_fonts() -> None:
    """Log, once, what names will be written in boxes for."""
    if missing := missing_scripts():
        log.warning("fonts.missing", scripts=missing, needed="Noto fonts: see docs/operations/")


def _layout(text: str, pixels: int, max_width: float) -> Any:
    layout = ffi.gc(lib.pango_cairo_create_layout(_context(_surface(1, 1))), lib.g_object_unref)
    language = lib.pango_language_from_string(_LANGUAGE)
    lib.pango_context_set_language(lib.pango_layout_get_context(layout), language)
    font = ffi.gc(lib.pango_font_description_from_string(_FAMILIES), lib.pango_font_description_free)
    lib.pango_font_description_set_absolute_size(font, pixels * SCALE)
    lib.pango_layout_set_font_description(layout, font)
    encoded = text.encode(errors="replace")
    lib.pango_layout_set_text(layout, encoded, len(encoded))
    lib.pango_layout_set_width(layout, round(max_width * SCALE))
    lib.pango_layout_set_ellipsize(layout, ELLIPSIZE_END)
    return layout


def _surface(width: int, height: int) -> Any:
    return ffi.gc(lib.cairo_image_surface_create(FORMAT_ARGB32, width, height), lib.cairo_surface_destroy)


def _context(surface: Any) -> Any:
    return ffi.gc(lib.cairo_create(surface), lib.cairo_destroy)


def _frame(pixels: NDArray[np.uint8]) -> I420Frame:
    """An opaque picture in I420, in the video's colour space."""
    picture = av.VideoFrame.from_ndarray(pixels, format="bgra")
    return I420Frame.of_av(picture.reformat(format="yuv420p"))


def _even(value: float) -> int:
    return (int(value) + 3) // 2 * 2
