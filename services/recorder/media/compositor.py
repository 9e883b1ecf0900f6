"""Draws the scene on the canvas: only what has changed since the last frame."""

from services.recorder.media.frames import BLACK, Canvas, I420Frame, Scaler
from services.recorder.media.layout import Box, Tile, covering, fitted
from services.recorder.media.text_overlay import BACKDROP, TILE, initials_tag, name_tag, waiting_note
from services.recorder.media.video_feed import STALE_SECONDS, TimedFrame


class Compositor:
    """For one thread."""

    def __init__(self, canvas: Canvas):
        self._canvas = canvas.planes
        self._tiles: tuple[Tile, ...] | None = None
        self._painters: list[_TilePainter] = []

    @property
    def missing(self) -> tuple[str, ...]:
        """The names at boxes that were to have a video of which nothing arrives."""
        return tuple(dict.fromkeys(painter.name for painter in self._painters if painter.misses_video))

    def draw(self, tiles: tuple[Tile, ...], moment: float) -> None:
        """Bring the canvas to what is to be seen at this moment."""
        if tiles is not self._tiles:
            if tiles:
                self._canvas.fill(BLACK)
            else:
                self._canvas.fill(BACKDROP)
                _paste_in_middle(self._canvas, waiting_note(self._canvas.width, self._canvas.height))
            self._tiles = tiles
            self._painters = [_TilePainter(tile, self._canvas) for tile in tiles]
        for painter in self._painters:
            painter.paint(moment)


class _TilePainter:
    """Remembers what it drew last, so that the same is not drawn twice."""

    def __init__(self, tile: Tile, canvas: I420Frame):
        self._tile = tile
        self._canvas = canvas
        self._scaler = Scaler()
        self._shape: tuple[int, int] | None = None
        self._drawn: TimedFrame | None = None
        self._empty = False

    @property
    def name(self) -> str:
        return self._tile.name

    @property
    def misses_video(self) -> bool:
        return self._tile.feed is not None and self._empty

    def paint(self, moment: float) -> None:
        timed = self._tile.feed.at(moment) if self._tile.feed else None
        if timed is None or (not self._tile.still and moment - timed.captured_at > STALE_SECONDS):
            self._paint_placeholder()
        elif timed is not self._drawn:
            self._paint_frame(timed.frame)
            self._drawn, self._empty = timed, False

    def _paint_placeholder(self) -> None:
        if self._empty:
            return
        box = self._tile.box
        self._part(box).fill(TILE)
        _paste_in_middle(self._part(box), initials_tag(self._tile.name, box.width, box.height))
        self._paint_name()
        self._drawn, self._shape, self._empty = None, None, True

    def _paint_frame(self, frame: I420Frame) -> None:
        if self._shape != frame.y.shape or self._empty:
            self._shape = (frame.height, frame.width)
            self._part(self._tile.box).fill(BLACK)
        source, target = self._placed(frame)
        if source.width != target.width or source.height != target.height:
            source = self._scaler.scale(source, target.width, target.height)
        self._part(target).paste(source)
        self._paint_name()

    def _placed(self, frame: I420Frame) -> tuple[I420Frame, Box]:
        """Which part of the frame is shown, and where: upright frames are never cropped."""
        box = self._tile.box
        if self._tile.whole or frame.height > frame.width:
            return frame, fitted(frame.width, frame.height, box)
        part = covering(frame.width, frame.height, box)
        return frame.crop(part.left, part.top, part.width, part.height), box

    def _paint_name(self) -> None:
        box = self._tile.box
        tag = name_tag(self._tile.name, box.width, box.height)
        if tag is not None and tag.height < box.height and tag.width < box.width:
            margin = box.height // 60 * 2
            left, top = box.left + margin, box.top + box.height - tag.height - margin
            self._canvas.crop(left // 2 * 2, top // 2 * 2, tag.width, tag.height).paste(tag)

    def _part(self, box: Box) -> I420Frame:
        return self._canvas.crop(box.left, box.top, box.width, box.height)


def _paste_in_middle(canvas: I420Frame, picture: I420Frame) -> None:
    """Unless there is no room for it."""
    left, top = (canvas.width - picture.width) // 4 * 2, (canvas.height - picture.height) // 4 * 2
    if left >= 0 and top >= 0:
        canvas.crop(left, top, picture.width, picture.height).paste(picture)
