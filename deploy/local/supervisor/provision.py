"""Gives a new stack its first organization, host and API key, through the administrator routes.

Made once and remembered in `provision.json`; at every start it is checked that they still work, and what
does not is made again.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from pydantic import BaseModel, ValidationError

from deploy.local.files import write_atomically
from deploy.local.plan import StackPlan
from deploy.local.stack import DatabaseUris, Stack, StackApiKey, StackLogin

DEADLINE = aiohttp.ClientTimeout(total=15)
ORGANIZATION_NAME = "Greenroom"
PAGE_LIMIT = 100
STRANGER = (
    "The administrator cannot sign in. A database that was first used with another data directory keeps the "
    "administrator of that one: start with that directory, or with an empty database."
)


class ProvisionFailed(Exception):
    """The stack is up, but did not take its first organization, host or key."""


class Provision(BaseModel):
    organization_id: str
    library_id: str
    api_key: StackApiKey


class Admin:
    """The few administrator calls that provisioning needs. Each raises ProvisionFailed for a refusal."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._headers: dict[str, str] = {}

    async def sign_in(self, email: str, password: str) -> None:
        data = await self.call("POST", "/auth/login", {"email": email, "password": password})
        self._headers = {"Authorization": f"Bearer {data['access_token']}"}

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The `data` of the reply's envelope."""
        async with self._http.request(method, path, json=body, headers=self._headers) as response:
            text = await response.text()
            if response.status >= 400:
                raise ProvisionFailed(f"{method} {path} answered {response.status}: {text[:500]}")
            return (await response.json())["data"]

    async def find(self, path: str, field: str, value: str) -> dict[str, Any] | None:
        """The first listed item whose field has the value."""
        page = 1
        while items := _items(await self.call("GET", f"{path}?page={page}&limit={PAGE_LIMIT}")):
            for item in items:
                if item.get(field) == value:
                    return dict(item)
            page += 1
        return None


async def provision(plan: StackPlan) -> Provision:
    """The organization, its library and the host's key of this stack, made where they are missing.

    Raises ProvisionFailed where the gateway refuses or does not answer.
    """
    try:
        async with aiohttp.ClientSession(plan.addresses.gateway, timeout=DEADLINE) as http:
            return await _ensure(http, plan)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ProvisionFailed(f"the gateway does not answer: {error or 'too slow'}") from error


async def _ensure(http: aiohttp.ClientSession, plan: StackPlan) -> Provision:
    known = _remembered(plan)
    if known is not None and await _works(http, plan, known):
        return known
    admin = Admin(http)
    try:
        await admin.sign_in(plan.credentials.admin_email, plan.credentials.admin_password)
    except ProvisionFailed as refused:
        raise ProvisionFailed(f"{refused}\n{STRANGER}") from refused
    made = await _make(admin, plan)
    write_atomically(plan.data.provision_file, made.model_dump_json(indent=2) + "\n")
    return made


def _remembered(plan: StackPlan) -> Provision | None:
    try:
        return Provision.model_validate_json(plan.data.provision_file.read_text())
    except (FileNotFoundError, ValidationError):
        return None


async def _works(http: aiohttp.ClientSession, plan: StackPlan, known: Provision) -> bool:
    """Whether the host can sign in and the key is accepted."""
    try:
        await Admin(http).sign_in(plan.credentials.host_email, plan.credentials.host_password)
    except ProvisionFailed:
        return False
    key = {"X-API-Key": f"{known.api_key.id}.{known.api_key.secret}"}
    async with http.get("/auth/me", headers=key) as response:
        return response.status == 200


async def _make(admin: Admin, plan: StackPlan) -> Provision:
    organization = await admin.find("/admin/organizations", "name", ORGANIZATION_NAME) or await admin.call(
        "POST", "/admin/organizations", {"name": ORGANIZATION_NAME}
    )
    host = await _host(admin, plan, organization["id"])
    key = await admin.call("POST", "/admin/api-keys", {"user_id": host["id"], "name": "local stack"})
    return Provision(
        organization_id=organization["id"],
        library_id=organization["default_library_id"],
        api_key=StackApiKey(id=key["id"], secret=key["secret"]),
    )


async def _host(admin: Admin, plan: StackPlan, organization_id: str) -> dict[str, Any]:
    """The host user; one that is there from before gets this stack's password."""
    credentials = plan.credentials
    found = await admin.find("/admin/users", "email", credentials.host_email)
    if found is not None:
        await admin.call("PATCH", f"/admin/users/{found['id']}", {"password": credentials.host_password})
        return found
    body = {
        "email": credentials.host_email,
        "password": credentials.host_password,
        "username": "host",
        "role": "host",
        "organization_id": organization_id,
        "is_admin": False,
    }
    return dict(await admin.call("POST", "/admin/users", body))


def _items(data: Any) -> list[dict[str, Any]]:
    """The items of a listing: the list itself, or the one list in its page object."""
    if isinstance(data, list):
        return data
    return next((value for value in data.values() if isinstance(value, list)), [])


def stack_of(plan: StackPlan, made: Provision) -> Stack:
    """What `stack.json` says of this stack, save the processes, which the board knows."""
    credentials = plan.credentials
    return Stack(
        base_url=plan.addresses.gateway,
        livekit_url=plan.addresses.livekit,
        livekit_api_key=credentials.livekit_api_key,
        livekit_api_secret=credentials.livekit_api_secret,
        mongodb=DatabaseUris(**plan.addresses.mongodb),
        amqp_url=plan.addresses.amqp,
        redis_url=plan.addresses.redis,
        mail_url=plan.addresses.mail,
        admin=StackLogin(email=credentials.admin_email, password=credentials.admin_password),
        host=StackLogin(email=credentials.host_email, password=credentials.host_password),
        organization_id=made.organization_id,
        library_id=made.library_id,
        api_key=made.api_key,
        processes={},
    )
