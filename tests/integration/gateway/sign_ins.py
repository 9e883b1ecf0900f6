"""Signing in, as a service that knows one password answers it."""

from aiohttp import web

from tests.integration.gateway.fixtures import GatewayFixture


async def sign_in(request: web.Request) -> web.StreamResponse:
    """A session service that knows one password."""
    body = await request.json()
    right = body["password"] == "right"
    return web.json_response({"success": right}, status=200 if right else 401)


async def try_password(
    gateway: GatewayFixture, password: str, email: str = "ada@example.com", **headers: str
) -> tuple[int, dict[str, str]]:
    body = {"email": email, "password": password}
    async with gateway.http.post("/auth/login", json=body, headers=headers) as answer:
        await answer.read()
        return answer.status, dict(answer.headers)
