"""Text drawn by Pango: any script, shaped, each line in its own direction, with the machine's fonts."""

from typing import Any, Final, NamedTuple

import av
import numpy as np
import structlog

from services.recorder.media.frames import I420Frame

try:
    import cairocffi
    import pangocairocffi
    import pangocffi
except OSError as error:
    raise ImportError(
        "Pango is missing, which draws names: install libpangocairo-1.0-0 (Debian) or pango (Homebrew)"
    ) from error

log = structlog.get_logger(__name__)

# The first that has a letter is used; then any other font of the machine.
_FAMILIES: Final = "Noto Sans, sans-serif"

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
        self._layout: Any = pangocairocffi.create_layout(_surface(1, 1))
        font = pangocffi.FontDescription()
        font.family = _FAMILIES
        font.set_absolute_size(pangocffi.units_from_double(pixels))
        self._layout.font_description = font
        self._layout.text = text
        self._layout.width = pangocffi.units_from_double(max_width)
        self._layout.ellipsize = pangocffi.EllipsizeMode.END
        _, extents = self._layout.get_extents()
        # A line that is read from the right begins at the right end of `max_width`.
        self._left = pangocffi.units_to_double(extents.x)
        self.width = pangocffi.units_to_double(extents.width)
        # Without any font at all Pango leaves the height undefined.
        self.height = min(max(pangocffi.units_to_double(extents.height), pixels), _TALLEST * pixels)

    @property
    def unknown(self) -> int:
        return int(pangocffi.pango.pango_layout_get_unknown_glyphs_count(self._layout.pointer))

    def drawn(self, colours: Colours, margin: tuple[int, int]) -> I420Frame:
        """The line with a margin of so many pixels beside and above it on both sides."""
        across, above = margin
        context = _surface(_even(self.width + 2 * across), _even(self.height + 2 * above))
        context.set_source_rgb(*[colours.paper] * 3)
        context.paint()
        context.set_source_rgb(*[colours.ink] * 3)
        context.move_to(across - self._left, above)
        pangocairocffi.show_layout(context, self._layout)
        return _frame(context.get_target())


def missing_scripts() -> list[str]:
    """Scripts, by name, of which this machine has no fonts."""
    return [script for script, sample in _SAMPLES.items() if TextLine(sample, 16, 1000).unknown]


def report_missing_fonts() -> None:
    """Log, once, what names will be written in boxes for."""
    if missing := missing_scripts():
        log.warning("fonts.missing", scripts=missing, needed="Noto fonts: see docs/operations.md")


def _surface(width: int, height: int) -> Any:
    return cairocffi.Context(cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, width, height))


def _frame(surface: Any) -> I420Frame:
    """An opaque picture in I420, in the video's colour space."""
    surface.flush()
    size = (surface.get_height(), surface.get_width(), 4)
    pixels = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(size)
    picture = av.VideoFrame.from_ndarray(pixels, format="bgra")
    return I420Frame.of_av(picture.reformat(format="yuv420p"))


def _even(value: float) -> int:
    return (int(value) + 3) // 2 * 2
