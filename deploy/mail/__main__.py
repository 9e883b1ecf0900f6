"""`python -m deploy.mail`: SMTP on one loopback port, the mails on another, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.ports import LOOPBACK
from deploy.local.stopping import stop_requested
from deploy.mail.store import MailStore, StoredMail

_LARGEST = 10 * 1024 * 1024
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


class Handler:
    """Accepts every mail."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        content = envelope.content or b""
        self._store.add(content if isinstance(content, bytes) else content.encode(), datetime.now(UTC))
        return "250 Kept, and shown"


async def serve(smtp_port: int, http_port: int, folder: Path) -> None:
    store, loop = MailStore(folder), asyncio.get_running_loop()
    handler = Handler(store)
    smtp = await loop.create_server(
        # A host name of its own would be looked up in the DNS.
        lambda: SMTP(
            handler, data_size_limit=_LARGEST, enable_SMTPUTF8=True, hostname="localhost", loop=loop
        ),
        LOOPBACK,
        smtp_port,
    )
    runner = web.AppRunner(application(store), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, http_port).start()
    with stop_requested() as stop:
        await stop.wait()
    smtp.close()
    await runner.cleanup()


def application(store: MailStore) -> web.Application:
    """The mails as pages and as JSON."""

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


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.smtp_port, arguments.http_port, arguments.folder))


if __name__ == "__main__":
    main()
