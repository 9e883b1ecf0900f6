"""`python -m deploy.mail`: SMTP on one loopback port, the mails on another, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.ports import LOOPBACK
from deploy.local.stopping import stop_requested
from deploy.mail.pages import application
from deploy.mail.store import MailStore

_LARGEST = 10 * 1024 * 1024


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.smtp_port, arguments.http_port, arguments.folder))


if __name__ == "__main__":
    main()
