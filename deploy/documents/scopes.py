"""The part of docs/permissions.md about API keys: which operations a key of each scope may call."""

from collections.abc import Iterable
from typing import Final

from shared.http.routes import Route

_HEAD: Final = """
## Scopes of API keys

A key has one or both of two scopes, and each operation declares the one it needs. `read` is for what
only shows something. Whatever changes something needs `write`, and so does whatever lets its caller act,
also by GET: join tokens, stream keys and sign-in codes. No key may call what administrators may. An
operation that is not listed takes no API key.

| operation | for | scope |
| --- | --- | --- |
"""


def scopes_section(routes: Iterable[Route]) -> str:
    return _HEAD + "".join(
        f"| `{route.method} {route.path}` | {route.access} | `{route.scope}` |\n"
        for route in routes
        if route.scope is not None
    )
