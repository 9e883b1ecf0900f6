"""What people type is made fit to be shown to others."""

import pytest

from shared.text import cleaned, on_one_line


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  hello \n", "hello"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("a\tb", "a b"),
        ("bell\x07 \x1b[31mred\x9b0m\x00", "bell [31mred0m"),
        ("\u202eevil\u202c \u2066isolate\u2069", "evil isolate"),
        ("\ufeffmark", "mark"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u05e9\u05dc\u05d5\u05dd \u200f(x)", "\u05e9\u05dc\u05d5\u05dd \u200f(x)"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("broken \ud800 half", "broken  half"),
    ],
)
def test_words_stay_and_control_goes(typed: str, shown: str) -> None:
    assert cleaned(typed) == shown


@pytest.mark.parametrize(
    "typed",
    ["", " \n\t ", "\u202e\u202c", "\x00\x1b", "\u200b\u200d\u2060", "\u3000", "\ufe0f", "\u3164\u2800"],
)
def test_what_cannot_be_seen_is_nothing(typed: str) -> None:
    assert cleaned(typed) == ""


def test_a_name_has_one_line() -> None:
    assert on_one_line(" my\nfile\t name .pdf ") == "my file name .pdf"
