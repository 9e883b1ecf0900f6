"""The environment of the services: the user's, over their settings file, over the stack's defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from deploy.local.overrides import PREFIX, UnusableEnvironment

CONFIG = "GREENROOM_CONFIG"
DEFAULTS = {"GREENROOM_ENVIRONMENT": "development", "GREENROOM_LOG_FORMAT": "console"}
_SHOWN = {"GREENROOM_ENGINE", "GREENROOM_INGEST", "GREENROOM_ENVIRONMENT", "GREENROOM_LOG_LEVEL"}
_OF_THE_COMMAND = {CONFIG, "GREENROOM_DATA_DIR"}


def full_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment with the settings of the YAML file that GREENROOM_CONFIG names beneath it.

    A service reads its settings from both; the stack sets some in the environment, which would hide those of
    the file. Lists stay in the file: in the environment each has a form of its own. Names are in capitals,
    since services do not tell them apart. Raises UnusableEnvironment if the file cannot be read.
    """
    upper = {name.upper(): value for name, value in environ.items() if name.upper().startswith(PREFIX)}
    own = {name: value for name, value in environ.items() if name.upper() not in upper}
    if not upper.get(CONFIG):
        return {**own, **upper}
    path = Path(upper[CONFIG]).expanduser().resolve()
    return {**own, **_settings_in(path), **upper, CONFIG: str(path)}


def _settings_in(path: Path) -> dict[str, str]:
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnusableEnvironment(f"{CONFIG} names a file that cannot be read: {path} ({error})") from error
    if not isinstance(content, dict):
        raise UnusableEnvironment(f"{CONFIG} names a file without settings: {path}")
    return {
        PREFIX + str(name).upper(): value if isinstance(value, str) else json.dumps(value)
        for name, value in content.items()
        if value is not None and not isinstance(value, list)
    }


def described(full: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Each setting in the full environment, for people, and whether it is the user's or the file's.

    Values that may be secret are left out.
    """
    own = {name.upper() for name in environ}
    names = sorted(name for name in full if name.startswith(PREFIX) and name not in _OF_THE_COMMAND)
    return [
        f"{name}{_shown(name, full[name])} from {'the environment' if name in own else full[CONFIG]}"
        for name in names
        if full[name]
    ]


def _shown(name: str, value: str) -> str:
    if name in _SHOWN:
        return f"={value}"
    if name.endswith(("_URL", "_URI")):
        parts = urlsplit(value)
        host = parts.netloc.rpartition("@")[2]
        return f"={parts.scheme}://{host}{parts.path}"
    return ""
