"""Who calls: a host, a viewer, an administrator, an API key, and nobody."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from deploy.local.stack import Stack
from shared.ids import new_id, new_secret
from tests.fuzz.known_values import KnownValues

_DEADLINE = 20.0
# Access tokens live 15 min.
_RENEW_AFTER = 600.0


@dataclass
class Person:
    """Somebody signed in by `tokens`, renewed in time."""

    access_token: str
    refresh_token: str
    since: float


class Callers:
    """Everybody, in an organization made for this run; `known` gets something of each noun."""

    NAMES = ("host", "viewer", "administrator", "API key", "nobody")

    def __init__(self, stack: Stack, known: KnownValues):
        self._base = stack.base_url
        self._http = requests.Session()
        self._known = known
        # Whom no case may change or delete: nobody could go on without them.
        self.own: set[str] = set()
        credentials = {"email": stack.admin.email, "password": stack.admin.password}
        self._people = {"administrator": self._person(self._post("/auth/login", None, credentials))}
        self._make_tenant()

    def headers(self, name: str) -> dict[str, str]:
        """The credentials of `name`, as headers."""
        if name == "nobody":
            return {}
        if name == "API key":
            return {"X-API-Key": self._key}
        person = self._people[name]
        if time.monotonic() - person.since > _RENEW_AFTER:
            renewed = self._post("/auth/refresh", None, {"refresh_token": person.refresh_token})
            person = self._people[name] = self._person(renewed)
        return {"Authorization": f"Bearer {person.access_token}"}

    def create_samples(self) -> None:
        """Make what the cases can use: rooms, presets, and sessions scheduled, live and over."""
        preset = self._post("/presets", "host", {"name": "Fuzz", "type": "whip", "primary_color": "#102030"})[
            "id"
        ]
        self._known.add("presets", preset)
        for calls in ((), ("start",), ("start", "end")):
            room = self._post("/rooms", "host", {"title": "A room to fuzz"})["room"]["id"]
            session = self._post(f"/rooms/{room}/sessions", "host", {"title": "Fuzz", "preset_id": preset})
            session_id = session["session"]["id"]
            for call in calls:
                self._post(f"/sessions/{session_id}/{call}", "host")
            self._known.add("rooms", room)
            self._known.add("sessions", session_id)
        self._known.add("users", self._colleague(), *self._guests())

    def close(self) -> None:
        self._http.close()

    def _make_tenant(self) -> None:
        admin = "administrator"
        organization = self._post("/admin/organizations", admin, {"name": f"Fuzz {new_id()}"})
        foreign = self._post("/admin/organizations", admin, {"name": f"Foreign {new_id()}"})
        self._organization = str(organization["id"])
        made = {"organization_id": organization["id"], "name": "Fuzz", "visibility": "unlisted"}
        library = self._post("/admin/libraries", admin, made)["id"]
        email, password = f"{new_id()}@example.com", new_secret()
        user = {
            "email": email,
            "password": password,
            "username": "Hanna",
            "organization_id": organization["id"],
        }
        host = self._post("/admin/users", admin, user)
        key = self._post("/admin/api-keys", admin, {"user_id": host["id"], "name": "Fuzz"})
        self._key = f"{key['id']}.{key['secret']}"
        self.own |= {organization["id"], host["id"], key["id"]}
        self._people["host"] = self._person(
            self._post("/auth/login", None, {"email": email, "password": password})
        )
        self._people["viewer"] = self._person(self._register())
        # Not the organization itself: an administrator's case could delete it under everybody's feet.
        self._known.add("organizations", foreign["id"])
        self._known.add(
            "libraries", organization["default_library_id"], library, foreign["default_library_id"]
        )

    def _colleague(self) -> str:
        """A host that nobody here signs in as."""
        user = {"email": f"{new_id()}@example.com", "password": new_secret(), "username": "Carl"}
        made = self._post("/admin/users", "administrator", user | {"organization_id": self._organization})
        return str(made["id"])

    def _guests(self) -> Iterator[str]:
        for _ in range(2):
            guest = self._register()
            self._known.add("refresh_tokens", guest["refresh_token"])
            self._known.add("device_tokens", guest["device_token"])
            yield guest["user"]["id"]

    def _register(self) -> dict[str, Any]:
        return self._post("/auth/viewer/register", None, {"display_name": "Vera"})

    def _person(self, signed_in: dict[str, Any]) -> Person:
        self.own.add(signed_in["user"]["id"])
        return Person(signed_in["access_token"], signed_in["refresh_token"], time.monotonic())

    def _post(self, path: str, name: str | None, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = self.headers(name) if name else {}
        answer = self._http.post(self._base + path, json=body, headers=headers, timeout=_DEADLINE)
        if not answer.ok:
            raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text}")
        return dict(answer.json()["data"] or {})
