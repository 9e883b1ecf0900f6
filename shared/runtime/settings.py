"""Settings: environment (`GREENROOM_…`) over the YAML file named by `GREENROOM_CONFIG` over defaults.

In the environment `production` a service refuses to start with a secret that is missing or easily guessed
(`secret_strength.py`).
"""

import base64
import os
import re
import sys
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)

from shared.runtime.rotating_secret import RotatingSecret
from shared.runtime.secret_strength import weak_parts

__all__ = ["DataSettings", "Keys", "ServiceSettings", "SettingsRefused", "base64url", "load"]

Keys = dict[str, str]


class SettingsRefused(Exception):
    """The settings cannot be used; the message names each bad one and never its value."""


class ServiceSettings(BaseSettings):
    """What every service needs to know."""

    model_config = SettingsConfigDict(env_prefix="GREENROOM_", extra="ignore", hide_input_in_errors=True)

    # The settings that are secrets, checked in production.
    secrets: ClassVar[tuple[str, ...]] = ("internal_secret",)
    # Those without which it starts nowhere.
    needed: ClassVar[tuple[str, ...]] = ()

    environment: Literal["development", "test", "production"] = "development"
    """In `production` secrets that are missing or easily guessed are refused."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 takes any free one."""
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """The port of /metrics. By default that of everything else; with one of its own, whoever reaches the
    service does not read its metrics."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The lowest level that is logged."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """One JSON object per line, or text for people; `auto` is text if standard error is a terminal and this
    is not production, else JSON."""
    drain_seconds: Annotated[float, Field(ge=0, le=300)] = 10.0
    """How long running requests may take to finish when the service stops."""
    close_seconds: Annotated[float, Field(ge=1, le=300)] = 20.0
    """How long a stopping service may take to finish its work and close its connections once requests are
    done. One that takes longer exits with status 1."""
    readiness_delay_seconds: Annotated[float, Field(ge=0, le=60)] = 0.0
    """How long a stopping service still serves requests while unready, so that load balancers notice."""

    identity_public_keys: Keys = {}
    """Key id → public Ed25519 key (base64url of 32 bytes): access tokens are verified with them. `greenroom
    keys signing` generates them."""
    internal_secret: SecretStr = SecretStr("")
    """Signs calls between services and links to files: the same for all of them."""
    internal_previous_secrets: tuple[SecretStr, ...] = ()
    """What these signed is accepted, too, while `internal_secret` is replaced."""

    @property
    def internal_signing(self) -> RotatingSecret:
        return RotatingSecret.of(self.internal_secret, self.internal_previous_secrets)

    @property
    def log_output(self) -> Literal["json", "console"]:
        """The format of logs, decided."""
        if self.log_format == "auto":
            return "console" if sys.stderr.isatty() and self.development else "json"
        return self.log_format

    @property
    def development(self) -> bool:
        return self.environment != "production"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        sources = (init_settings, env_settings)
        path = os.environ.get("GREENROOM_CONFIG")
        return (*sources, YamlConfigSettingsSource(settings_cls, yaml_file=path)) if path else sources

    @model_validator(mode="after")
    def _strong_secrets(self) -> Self:
        if self.environment != "production":
            return self
        weak = [
            f"GREENROOM_{name.upper()}: {' '.join(filter(None, (part, reason)))}"
            for name in type(self).model_fields
            for part, reason in weak_parts(getattr(self, name), required=name in self.secrets)
        ]
        if weak:
            raise ValueError("secrets that production does not take:\n    " + "\n    ".join(weak))
        if not self.identity_public_keys:
            raise ValueError("GREENROOM_IDENTITY_PUBLIC_KEYS is needed in production")
        return self


class DataSettings(ServiceSettings):
    """What every process with a database needs to know beside."""

    mongodb_expiry: bool = True
    """Whether the database removes expired documents. If not, the service does so when it starts: for servers
    that block while they search for them."""


S = TypeVar("S", bound=ServiceSettings)


def load(settings: type[S]) -> S:
    """Read the settings of a service; raises `SettingsRefused` with one line per bad setting."""
    path = os.environ.get("GREENROOM_CONFIG")
    if path and not os.path.isfile(path):
        raise SettingsRefused(f"GREENROOM_CONFIG names no file: {path}")
    try:
        return settings()
    except SettingsError as error:  # JSON that is none; it names the field, and no value
        named = re.search(r'field "(\w+)"', str(error))
        variable = _variable((named.group(1),)) if named else ""
        raise SettingsRefused(f"the settings are refused:\n  {variable}not valid JSON") from None
    except ValidationError as error:
        lines = [
            f"  {_variable(problem['loc'])}{problem['msg']}" for problem in error.errors(include_input=False)
        ]
        raise SettingsRefused("the settings are refused:\n" + "\n".join(lines)) from None


def _variable(path: tuple[int | str, ...]) -> str:
    return f"GREENROOM_{str(path[0]).upper()}: " if path else ""


def base64url(text: str) -> bytes:
    """The bytes of base64url text, with or without padding; raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
