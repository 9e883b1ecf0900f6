"""The plain pages behind the links in mails. A GET changes nothing: mail scanners follow every link."""

from html import escape

from aiohttp import web

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def question(words: str, button: str) -> web.Response:
    """A button that posts to the page's own address."""
    return _page(words, f'<form method="post"><button>{escape(button)}</button></form>')


def answer(words: str) -> web.Response:
    return _page(words, "")


def _page(words: str, more: str) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reminders</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        '<body style="font-family:sans-serif;max-width:36em;margin:4em auto;padding:0 1em">'
        f"<h1>Reminders</h1><p>{escape(words)}</p>{more}</body></html>\n"
    )
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=_HEADERS)
