"""Digits of 3 by 5 dots, for the clock that people read."""

from __future__ import annotations

import numpy as np

from deploy.demo.stamp import Luma

DOTS = {
    "0": "111101101101111",
    "1": "010110010010111",
    "2": "111001111100111",
    "3": "111001111001111",
    "4": "101101111001001",
    "5": "111100111001111",
    "6": "111100111101111",
    "7": "111001001001001",
    "8": "111101111101111",
    "9": "111101111001111",
    ":": "000010000010000",
    ".": "000000000000010",
}
GLYPHS = {sign: np.array([int(dot) for dot in dots], dtype=bool).reshape(5, 3) for sign, dots in DOTS.items()}
GAP = np.zeros((5, 1), dtype=bool)


def write_text(luma: Luma, text: str, *, top: int, left: int, dot: int, ink: int) -> None:
    """Paint digits, `:` and `.` with dots of `dot` pixels and brightness `ink`."""
    columns = [part for sign in text for part in (GLYPHS[sign], GAP)]
    mask = np.repeat(np.repeat(np.hstack(columns), dot, axis=0), dot, axis=1)
    area = luma[top : top + mask.shape[0], left : left + mask.shape[1]]
    area[mask[: area.shape[0], : area.shape[1]]] = ink
