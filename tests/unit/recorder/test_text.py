"""Names in every script: letters instead of boxes, shaped, in their direction, cut where readers would."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from services.recorder.media.frames import GREY, I420Frame
from services.recorder.media.text_overlay import initials, initials_tag, name_tag
from services.recorder.media.text_rendering import Colours, TextLine, missing_scripts

NAMES = [
    "Zoë Ångström",
    "Zoe\u0308",
    "Иван Петрович",
    "Ζωή",
    "山田太郎",
    "김철수",
    "やまだ タロウ",
    "محمد علي",
    "نستعلیق",
    "דוד בן־גוריון",
    "राजेश क्षत्रिय",
    "রহিম",
    "தமிழ்ச்செல்வன்",
    "สมชาย ใจดี",
    "អង្គរ",
    "አበበ",
    "ნინო",
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽",
    "Zoë محمد 山田 😀 राजेश",
]
COLOURS = Colours(ink=1.0, paper=0.0)
NO_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>{folder}</dir><cachedir>{folder}</cachedir></fontconfig>"""


def line(text: str, max_width: float = 2000) -> TextLine:
    return TextLine(text, 40, max_width)


def drawn(text: str, max_width: float = 2000) -> I420Frame:
    return line(text, max_width).drawn(COLOURS, margin=(4, 4))


def strokes(text: str) -> list[int]:
    """The widths of what is separated by empty columns, from left to right."""
    columns: list[bool] = np.any(drawn(text).y > 60, axis=0).tolist()
    return [sum(1 for _ in run) for inked, run in groupby(columns) if inked]


@pytest.mark.parametrize("name", NAMES)
def test_no_letter_is_a_box(name: str) -> None:
    assert line(name).unknown == 0
    assert drawn(name).y.max() > 150


def test_a_letter_of_no_font_is_counted() -> None:
    assert line("a\U000f1234\U000f1235").unknown == 2


def test_the_machine_has_fonts_of_all_scripts() -> None:
    assert missing_scripts() == []


@pytest.mark.parametrize(
    ("joined", "apart"), [("عع", "ع\u200cع"), ("بب", "ب\u200cب"), ("क्ष", "क\u094d\u200cष")]
)
def test_letters_are_shaped_by_their_neighbours(joined: str, apart: str) -> None:
    assert line(joined).width < line(apart).width
    if "\u0600" < joined < "\u0700":
        assert len(strokes(joined)) < len(strokes(apart))


@pytest.mark.parametrize(
    ("first", "last", "sign"),
    [("க", "ஹ", "ி"), ("क", "ह", "ा"), ("ক", "হ", "া"), ("ക", "ഹ", "ാ"), ("က", "အ", "ာ"), ("ක", "ෆ", "ා")],
)
def test_a_letter_and_its_vowel_are_of_one_font(first: str, last: str, sign: str) -> None:
    """Of two fonts they have a dotted circle between them: those of historic scripts have some letters."""
    letters = filter(str.isalpha, map(chr, range(ord(first), ord(last) + 1)))
    added = {letter: line(letter + sign).width - line(letter).width for letter in letters}
    assert max(added.values()) < median(added.values()) + 10, added


def test_hebrew_runs_from_the_right() -> None:
    alef, vav = strokes("א"), strokes("\N{HEBREW LETTER VAV}")
    assert alef != vav
    assert strokes("א\N{HEBREW LETTER VAV}") == vav + alef
    assert strokes("\N{HEBREW LETTER VAV}א") == alef + vav


def test_an_emoji_at_the_end_of_a_hebrew_name_is_on_its_left() -> None:
    picture = drawn("שלום 😀")
    coloured = np.flatnonzero((np.abs(picture.u.astype(int) - GREY) > 20).any(axis=0))
    assert coloured.size
    assert coloured.max() < picture.u.shape[1] / 2


@pytest.mark.parametrize("text", ["W" * 500, "山" * 500, "محمد بن " * 50, "क्ष" * 300, "👩‍👩‍👧‍👦" * 100])
def test_long_names_end_in_an_ellipsis_within_the_box(text: str) -> None:
    cut = line(text, 300)
    assert 150 < cut.width <= 300
    assert cut.unknown == 0
    tag = name_tag(text, 256, 144)
    assert tag is not None
    assert tag.width < 256 * 0.7


def test_what_is_cut_is_cut_between_the_characters_of_readers() -> None:
    """Half a family would be two people side by side, and wider than one of the same width."""
    family = line("👩‍👩‍👧‍👦").width
    for people in range(1, 4):
        cut = line("👩‍👩‍👧‍👦" * 10, people * family + line("…").width + 1).width
        assert cut == pytest.approx(people * family + line("…").width, abs=2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Zoë", "Z"),
        ("anna lund marie", "A\u200cL"),
        ("山田太郎", "山"),
        ("山田 太郎", "山\u200c太"),
        ("e\u0301va", "É"),
        ("m\u0308y", "M\u0308"),
        ("👩‍👩‍👧‍👦 🇩🇪", "👩‍👩‍👧‍👦\u200c🇩🇪"),
        ("राजेश क्षत्रिय", "रा\u200cक्ष"),
        ("ნინო", "ნ"),
        ("ßtrauß", "ß"),
        ("(Anna) \u200d -- [Lund]", "A\u200cL"),
        ("\u202eanna", "A"),
        ("", "?"),
        (" \t\u200b\u200d", "?"),
        ("\u3164\u2800", "?"),
        ("...", "?"),
    ],
)
def test_initials_are_whole_characters(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_arabic_initials_do_not_join() -> None:
    assert len(strokes(initials("محمد علي"))) == len(strokes("م")) + len(strokes("ع"))


@pytest.mark.parametrize("name", ["An\u202ena", "An\u2067na\u2069", "\x1bAn\x00na\n", "An\ufeffna\ud800"])
def test_control_characters_change_nothing(name: str) -> None:
    plain, odd = name_tag("Anna", 640, 360), name_tag(name, 640, 360)
    assert plain is not None
    assert odd is not None
    assert np.array_equal(plain.y, odd.y)


@pytest.mark.parametrize(
    "name", ["", "   ", "\u200b\u200d", "\u202e", "\u3164", "\u2800\u00a0", "\u0301" * 9]
)
def test_a_name_that_cannot_be_seen_has_no_tag(name: str) -> None:
    assert name_tag(name, 640, 360) is None


def test_marks_without_end_do_not_grow_out_of_the_tag() -> None:
    plain, marked = name_tag("a", 640, 360), name_tag("a" + "\u0301" * 50_000, 640, 360)
    assert plain is not None
    assert marked is not None
    assert marked.height == plain.height


def test_what_was_drawn_is_kept_within_bounds() -> None:
    for cached in (name_tag, initials_tag):
        assert cached("Zoë", 640, 360) is cached("Zoë", 640, 360)
        for number in range(400):
            cached(f"Guest {number}", 64, 36)
        assert cached.cache_info().currsize <= 256


def test_a_machine_without_fonts_is_told_and_draws_on(tmp_path: Path) -> None:
    (tmp_path / "fonts.conf").write_text(NO_FONTS.format(folder=tmp_path))
    script = (
        "from services.recorder.media.text_overlay import initials_tag, name_tag\n"
        "from services.recorder.media.text_rendering import report_missing_fonts\n"
        "assert name_tag('Zoë 山田 😀', 640, 360) and initials_tag('محمد', 640, 360)\n"
        "report_missing_fonts()"
    )
    environment = os.environ | {"FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "fonts.missing" in found.stdout
    assert all(script in found.stdout for script in ("Latin", "Arabic", "Thai", "Chinese", "emoji"))


def test_a_machine_without_pango_is_told_what_to_install() -> None:
    script = (
        "import ctypes.util\n"
        "ctypes.util.find_library = lambda name: f'lib{name}-that-is-not-there.so'\n"
        "import services.recorder.media.pango"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.returncode != 0
    assert "install libpangocairo-1.0-0" in found.stderr
