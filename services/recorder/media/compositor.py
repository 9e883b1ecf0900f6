"""Draws the scene on the canvas: only what has changed since the last picture."""

from __future__ import annotations

from services.recorder.media.frames import Canvas, Scaler
from services.recorder.media.i420 import BLACK, I420Frame
from services.recorder.media.layout import Box, covering, fitted
from services.recorder.media.scene import Tile
from services.recorder.media.text_overlay import name_tag, placeholder, waiting
from services.recorder.media.video_feed import STALE_SECONDS, TimedFrame


class Compositor:
    """For one thread. `show` may name another scene at any time; it is drawn with the next picture."""

    def __init__(self, canvas: Canvas):
        self._picture = canvas.picture
        self._tiles: tuple[Tile, ...] | None = None
        self._painters: list[_Painter] = []

    def draw(self, tiles: tuple[Tile, ...], moment: float) -> None:
        """Bring the canvas to what was to be seen at this moment."""
        if tiles is not self._tiles:
            self._set(tiles)
        for painter in self._painters:
            painter.paint(moment)

    def _set(self, tiles: tuple[Tile, ...]) -> None:
        whole = self._picture
        if tiles:
            whole.fill(BLACK)
        else:
            whole.paste(waiting(whole.width, whole.height))
        self._tiles = tiles
        self._painters = [_Painter(tile, whole) for tile in tiles]


class _Painter:
    """One tile: remembers what it drew last, so that the same is not drawn twice."""

    def __init__(self, tile: Tile, whole: I420Frame):
        self._tile = tile
        self._whole = whole
        self._scaler = Scaler()
        self._shape: tuple[int, int] | None = None
        self._drawn: TimedFrame | None = None
        self._empty = False

    def paint(self, moment: float) -> None:
        shot = self._tile.feed.at(moment) if self._tile.feed else None
        stale = shot is None or (not self._tile.whole and moment - shot.taken_at > STALE_SECONDS)
        if shot is None or stale:
            self._paint_placeholder()
        elif shot is not self._drawn:
            self._paint_shot(shot)

    def _paint_placeholder(self) -> None:
        if self._empty:
            return
        box = self._tile.box
        self._part(box).paste(placeholder(self._tile.name, box.width, box.height))
        self._tag()
        self._drawn, self._shape, self._empty = None, None, True

    def _paint_shot(self, shot: TimedFrame) -> None:
        picture = shot.picture
        if self._shape != picture.y.shape or self._empty:
            self._shape = (picture.height, picture.width)
            self._part(self._tile.box).fill(BLACK)
        source, target = self._placed(picture)
        if source.width != target.width or source.height != target.height:
            source = self._scaler.scale(source, target.width, target.height)
        self._part(target).paste(source)
        self._tag()
        self._drawn, self._empty = shot, False

    def _placed(self, picture: I420Frame) -> tuple[I420Frame, Box]:
        """What of the picture is shown, and where: screens and upright pictures with all their edges."""
        box = self._tile.box
        if self._tile.whole or picture.height > picture.width:
            return picture, fitted(picture.width, picture.height, box)
        cut = covering(picture.width, picture.height, box)
        return picture.cut(cut.left, cut.top, cut.width, cut.height), box

    def _tag(self) -> None:
        box = self._tile.box
        tag = name_tag(self._tile.name, box.width, box.height)
        if tag is not None and tag.height < box.height and tag.width < box.width:
            edge = box.height // 60 * 2
            left, top = box.left + edge, box.top + box.height - tag.height - edge
            self._whole.cut(left // 2 * 2, top // 2 * 2, tag.width, tag.height).paste(tag)

    def _part(self, box: Box) -> I420Frame:
        return self._whole.cut(box.left, box.top, box.width, box.height)
