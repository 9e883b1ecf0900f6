"""The mails as pages and as JSON."""

from __future__ import annotations

from html import escape

from aiohttp import web

from deploy.mail.store import MailStore, StoredMail

_LISTED = 200
_STYLE = (
    "<style>body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td,th{text-align:left;"
    "padding:.2em 1em .2em 0}pre{background:#f4f4f4;padding:1em;overflow:auto}iframe{width:100%;height:24em}"
    "</style>"
)
# A mail's own HTML is shown in a frame without scripts, and loads nothing.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'",
    "Cache-Control": "no-store",
}


def application(store: MailStore) -> web.Application:
    async def listed(_: web.Request) -> web.Response:
        return _page("Mails", _table(store.list()))

    async def shown(request: web.Request) -> web.Response:
        return _page("Mail", _mail(_wanted(store, request)))

    async def as_json(request: web.Request) -> web.Response:
        found = store.list(request.query.get("to", ""))
        limit = int(request.query.get("limit", _LISTED))
        return web.json_response({"mails": [mail.as_json() for mail in found[:limit]], "total": len(found)})

    async def one_as_json(request: web.Request) -> web.Response:
        return web.json_response(_wanted(store, request).as_json())

    app = web.Application()
    app.router.add_get("/", listed)
    app.router.add_get(r"/mails/{id:\d{1,9}}", shown)
    app.router.add_get("/api/mails", as_json)
    app.router.add_get(r"/api/mails/{id:\d{1,9}}", one_as_json)
    return app


def _wanted(store: MailStore, request: web.Request) -> StoredMail:
    mail = store.find(int(request.match_info["id"]))
    if mail is None:
        raise web.HTTPNotFound
    return mail


def _page(title: str, body: str) -> web.Response:
    text = f'<!doctype html><meta charset="utf-8"><title>{title}</title>{_STYLE}<h1>{title}</h1>{body}'
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


def _table(mails: list[StoredMail]) -> str:
    if not mails:
        return "<p>None came in yet.</p>"
    rows = "".join(
        f"<tr><td>{mail.received_at:%d %b %H:%M:%S}</td><td>{escape(mail.to)}</td>"
        f'<td><a href="/mails/{mail.id}">{escape(mail.header("Subject")) or "(no subject)"}</a></td></tr>'
        for mail in mails[:_LISTED]
    )
    return f"<p>{len(mails)}, the newest first.</p><table>{rows}</table>"


def _mail(mail: StoredMail) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in mail.message.items())
    shown = [f"<pre>{escape(headers)}</pre>"]
    html = mail.content("text/html")
    if html:
        shown.append(f'<iframe sandbox srcdoc="{escape(html)}"></iframe>')
    for heading, kind in (("Text", "text/plain"), ("Calendar", "text/calendar")):
        content = mail.content(kind)
        if content:
            shown.append(f"<h2>{heading}</h2><pre>{escape(content)}</pre>")
    return '<p><a href="/">All mails</a></p>' + "".join(shown)
