"""Gives a new stack its first organization, host and API key, through the administrator routes.

They are made once and remembered in `provision.json`; at every start it is checked that they still work, and
what does not is made again.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from pydantic import BaseModel, ValidationError

from deploy.api_client import ApiClient, CallFailed
from deploy.local import StackError
from deploy.local.data_dir import write_atomically
from deploy.local.plan import StackPlan
from deploy.local.stack import DatabaseUris, Stack, StackApiKey, StackLogin

ORGANIZATION_NAME = "Greenroom"
PAGE_LIMIT = 100
OTHER_ADMINISTRATOR = (
    "The administrator cannot sign in. A database that was first used with another data directory keeps the "
    "administrator of that one: start with that directory, or with an empty database."
)


class ProvisionFailed(StackError):
    """The stack is up, but its first organization, host or key could not be made."""


class Provision(BaseModel):
    organization_id: str
    library_id: str
    api_key: StackApiKey


async def provision(plan: StackPlan) -> Provision:
    """The organization, its library and the host's key of this stack, made if they are missing.

    Raises ProvisionFailed if the gateway refuses or does not answer.
    """
    async with aiohttp.ClientSession() as http:
        gateway = ApiClient(plan.addresses.gateway, http)
        try:
            known = _remembered(plan)
            if known is not None and await _works(gateway, plan, known):
                return known
            made = await _make(await _sign_in_admin(gateway, plan), plan)
        except CallFailed as failed:
            reason = str(failed) if failed.status else f"the gateway does not answer: {failed.message}"
            raise ProvisionFailed(reason) from failed
    write_atomically(plan.data.provision_file, made.model_dump_json(indent=2) + "\n")
    return made


def _remembered(plan: StackPlan) -> Provision | None:
    try:
        return Provision.model_validate_json(plan.data.provision_file.read_text())
    except (FileNotFoundError, ValidationError):
        return None


async def _works(gateway: ApiClient, plan: StackPlan, known: Provision) -> bool:
    """Whether the host can sign in and the key is accepted."""
    key = {"X-API-Key": f"{known.api_key.id}.{known.api_key.secret}"}
    try:
        await gateway.sign_in(plan.credentials.host_email, plan.credentials.host_password)
        await gateway.call("GET", "/auth/me", headers=key)
    except CallFailed as failed:
        if failed.status is None:
            raise
        return False
    return True


async def _sign_in_admin(gateway: ApiClient, plan: StackPlan) -> ApiClient:
    try:
        return await gateway.sign_in(plan.credentials.admin_email, plan.credentials.admin_password)
    except CallFailed as failed:
        if failed.status is None:
            raise
        raise ProvisionFailed(f"{failed}\n{OTHER_ADMINISTRATOR}") from failed


async def _make(admin: ApiClient, plan: StackPlan) -> Provision:
    organization = await _find(admin, "organizations", "name", ORGANIZATION_NAME)
    if organization is None:
        organization = await admin.call("POST", "/admin/organizations", body={"name": ORGANIZATION_NAME})
    host_id = await _host(admin, plan, organization["id"])
    key = await admin.call("POST", "/admin/api-keys", body={"user_id": host_id, "name": "local stack"})
    return Provision(
        organization_id=organization["id"],
        library_id=organization["default_library_id"],
        api_key=StackApiKey(id=key["id"], secret=key["secret"]),
    )


async def _host(admin: ApiClient, plan: StackPlan, organization_id: str) -> str:
    """The id of the host user; an existing one gets this stack's password."""
    email, password = plan.credentials.host_email, plan.credentials.host_password
    host = await _find(admin, "users", "email", email)
    if host is None:
        body = {
            "email": email,
            "password": password,
            "username": "host",
            "role": "host",
            "organization_id": organization_id,
            "is_admin": False,
        }
        host = await admin.call("POST", "/admin/users", body=body)
    else:
        await admin.call("PATCH", f"/admin/users/{host['id']}", body={"password": password})
    return str(host["id"])


async def _find(admin: ApiClient, noun: str, field: str, value: str) -> Any:
    """The first listed one whose field has the value, or None."""
    page = 1
    while items := (await admin.call("GET", f"/admin/{noun}", query={"page": page, "limit": PAGE_LIMIT}))[
        noun
    ]:
        for item in items:
            if item[field] == value:
                return item
        page += 1
    return None


def stack_of(plan: StackPlan, made: Provision) -> Stack:
    """The content of `stack.json`, except for the processes, which the reporter adds."""
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
