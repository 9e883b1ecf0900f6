"""What a person needs to know about a running stack."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from deploy.local.data_dir import DataDir
from deploy.local.stack import Stack


def show_banner(console: Console, stack: Stack, data: DataDir) -> None:
    """The addresses, and how to sign in."""
    console.print()
    for label, value in _rows(stack, data):
        console.print(f"  [bold]{label:<18}[/bold]{escape(value)}", soft_wrap=True, highlight=False)
    console.print()


def _rows(stack: Stack, data: DataDir) -> list[tuple[str, str]]:
    return [
        ("Greenroom", f"{stack.base_url}  (documentation: {stack.base_url}/docs)"),
        ("LiveKit", stack.livekit_url),
        *([("Mails", stack.mail_url)] if stack.mail_url else []),
        ("Sign in as host", f"{stack.host.email}  {stack.host.password}"),
        ("as administrator", f"{stack.admin.email}  {stack.admin.password}"),
        ("API key", f"X-API-Key: {stack.api_key.id}.<secret>"),
        ("Logs", f"{data.logs}/*.log"),
        ("Everything else", str(data.stack_file)),
    ]
