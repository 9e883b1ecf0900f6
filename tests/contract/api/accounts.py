"""The people and libraries of the cases, created with the administrator routes."""

from dataclasses import dataclass
from typing import Any

from shared.ids import new_id, new_secret
from tests.contract.api.client import Client


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in; viewers have a device token instead of address and password."""

    id: str
    access_token: str
    refresh_token: str
    organization_id: str | None = None
    email: str | None = None
    password: str | None = None
    device_token: str | None = None


@dataclass(frozen=True)
class Organization:
    id: str
    default_library_id: str


class Administrator:
    """Makes what a case needs."""

    def __init__(self, client: Client, access_token: str):
        self.access_token = access_token
        self._client = client

    async def organization(self) -> Organization:
        made = await self._make("organizations", name=f"Organization {new_id()}")
        return Organization(made["id"], made["default_library_id"])

    async def library(self, organization: Organization, visibility: str = "public", **fields: Any) -> str:
        """The new library's id."""
        made = await self._make(
            "libraries", organization_id=organization.id, name="Shows", visibility=visibility, **fields
        )
        return str(made["id"])

    async def host(self, organization: Organization, name: str = "Hanna") -> Person:
        """A new host, signed in."""
        email, password = f"{new_id()}@example.com", new_secret()
        await self._make(
            "users", email=email, password=password, username=name, organization_id=organization.id
        )
        return await sign_in(self._client, email, password)

    async def api_key(self, owner: Person, **fields: Any) -> str:
        """The `<id>.<secret>` of a new key."""
        made = await self._make("api-keys", user_id=owner.id, name="a key", **fields)
        return f"{made['id']}.{made['secret']}"

    async def change(self, noun: str, id: str, **fields: Any) -> None:
        answer = await self._client.call("PATCH", f"/admin/{noun}/{id}", self.access_token, fields)
        assert answer.status == 200, answer

    async def delete(self, noun: str, id: str) -> None:
        answer = await self._client.call("DELETE", f"/admin/{noun}/{id}", self.access_token)
        assert answer.status == 200, answer

    async def _make(self, noun: str, **fields: Any) -> dict[str, Any]:
        answer = await self._client.call("POST", f"/admin/{noun}", self.access_token, fields)
        assert answer.status == 201, answer
        return dict(answer.data)


async def sign_in(client: Client, email: str, password: str) -> Person:
    data = (await client.call("POST", "/auth/login", body={"email": email, "password": password})).data
    user = data["user"]
    return Person(
        user["id"], data["access_token"], data["refresh_token"], user["organization_id"], email, password
    )


async def register(client: Client, name: str = "Vera", *, device_of: Person | None = None) -> Person:
    """A new viewer, signed in, on somebody's device or on one of their own."""
    known = {"X-Device-Token": device_of.device_token} if device_of and device_of.device_token else {}
    answer = await client.call("POST", "/auth/viewer/register", body={"display_name": name}, headers=known)
    data = answer.data
    return Person(
        data["user"]["id"],
        data["access_token"],
        data["refresh_token"],
        device_token=data["device_token"],
    )
