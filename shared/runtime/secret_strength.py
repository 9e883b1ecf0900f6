"""How easily a secret is guessed, wherever in the settings it stands: alone, in a URL, or among options.

What is wrong is said without the secret.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

SHORTEST: Final = 16
# What sixteen random hexadecimal digits need is 10^16; what people make up, and repeat, needs far less.
_GUESSES: Final = 10**15
# The estimate takes time by the square of the length.
_ESTIMATED: Final = 72
# Of examples in documents, which look as good as any.
_PLACEHOLDERS: Final = (
    "changeme",
    "replaceme",
    "example",
    "placeholder",
    "insecure",
    "default",
    "yoursecret",
)
# What was to be filled in: ${SECRET}, $(openssl rand -hex 32), {{ secret }}, <secret>.
_UNFILLED: Final = re.compile(r"\$?(\{.*\}|\(.*\)|<.*>)", re.DOTALL)
_SECRET_OPTION: Final = re.compile(r"secret|passw|passphrase|token(?!_file|_uri)|(^|_)key$", re.IGNORECASE)


def weakness(secret: str) -> str | None:
    """Why a secret is too weak, in a few words; None if it is not."""
    text = secret.strip()
    if not text:
        return "is missing"
    if len(text) < SHORTEST:
        return f"is shorter than {SHORTEST} characters"
    plain = "".join(filter(str.isalnum, text.casefold()))
    if _UNFILLED.fullmatch(text) or any(word in plain for word in _PLACEHOLDERS):
        return "is a default or an example"
    return "is easily guessed" if _guesses(text) < _GUESSES else None


def weak_parts(value: object, *, required: bool) -> Iterator[tuple[str, str]]:
    """The weak secrets in the value of a setting: which part of it, and why.

    A value is a secret or several, a URL with or without a password, or options of which some are secrets;
    with `required`, all of them are, and there must be one.
    """
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        found = [("", weakness(secret))] if secret or required else []
    elif isinstance(value, str):
        found = [(part, weakness(secret)) for part, secret in _in_url(value)]
    elif isinstance(value, tuple) and value:
        several = [one.get_secret_value() for one in value if isinstance(one, SecretStr)]
        found = [(f"number {at}", weakness(secret)) for at, secret in enumerate(several, 1)]
    elif isinstance(value, Mapping) and value:
        found = [
            (f"'{key}'{part}", weakness(secret))
            for key, one in value.items()
            for part, secret in _in_option(str(key), one, required=required)
        ]
    else:
        found = [("", "is missing")] if required else []
    return ((part, reason) for part, reason in found if reason is not None)


def _in_option(name: str, option: object, *, required: bool) -> Iterator[tuple[str, str]]:
    """An option may be a secret, or a URL with one, as that of a proxy or of an S3 server."""
    text = option.get_secret_value() if isinstance(option, SecretStr) else str(option)
    if required or isinstance(option, SecretStr) or _SECRET_OPTION.search(name):
        yield "", text
    else:
        yield from ((f": {part}", secret) for part, secret in _in_url(text))


def _in_url(text: str) -> Iterator[tuple[str, str]]:
    """Passwords are compared as they are meant: %63 is a c."""
    if "://" not in text:
        return
    parts = urlsplit(text)
    if parts.password is not None:
        yield "its password", unquote(parts.password)
    elif parts.scheme in {"amqp", "amqps"}:
        # The broker's client then takes the one that every installation of RabbitMQ knows, whoever the user.
        yield "its password", "guest"
    for name, value in parse_qsl(parts.query):
        if _SECRET_OPTION.search(name):
            yield f"its {name}", value


def _guesses(text: str) -> float:
    # Only here: its word lists take 14 MB, and development needs none of them.
    from zxcvbn import zxcvbn

    return float(zxcvbn(text[:_ESTIMATED])["guesses"])
