"""The Auth group: signing in, out, and who is signed in."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import EmailStr, StringConstraints

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.fair_queue import Asker
from services.session.identity.accounts.schemas import Username, UserResponse, user_response
from services.session.identity.signin.service import SignedIn, SignInService
from shared.http import ANONYMOUS, BEARER, READ, WRITE, Body, Data, Reply, Request, Routes, ok
from shared.http.addresses import client_network

Token = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class LoginRequest(Body):
    email: EmailStr
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class RefreshTokenRequest(Body):
    refresh_token: Token


class LogoutRequest(Body):
    refresh_token: Token


class ViewerRegisterRequest(Body):
    display_name: Username


class DeviceLoginRequest(Body):
    device_token: Token


class ExchangeAuthCodeRequest(Body):
    code: Token


class AuthResponse(Data):
    user: UserResponse
    access_token: str
    refresh_token: str


class ViewerRegisterResponse(AuthResponse):
    device_token: str


routes = Routes("Auth")

SIGN_IN: Final = web.AppKey("sign_in", SignInService)


@routes.post("/auth/login", access=ANONYMOUS)
async def login(request: Request, body: LoginRequest) -> Reply[AuthResponse]:
    """Login with email and password."""
    asker = Asker(client_network(request.client_address), request.is_awaited)
    return Reply(_auth_response(await request.service(SIGN_IN).login(body.email, body.password, asker)))


@routes.post("/auth/refresh", access=ANONYMOUS)
async def refresh(request: Request, body: RefreshTokenRequest) -> Reply[AuthResponse]:
    """Refresh access token.

    The refresh token rotates: use the new one from now on. Reusing an old one ends the sign-in.
    """
    return Reply(_auth_response(await request.service(SIGN_IN).refresh(body.refresh_token)))


@routes.post("/auth/viewer/register", access=ANONYMOUS, status=201, idempotent=True)
async def register_viewer(request: Request, body: ViewerRegisterRequest) -> Reply[ViewerRegisterResponse]:
    """Register a new viewer with device token.

    A device that already has a token sends it as `X-Device-Token`, so that bans of the device stay in effect.
    So 20 may register in an hour, and the last 50 of a device can go on signing in.
    """
    service = request.service(SIGN_IN)
    known_by = request.raw.headers.get("X-Device-Token")
    signed_in, token = await service.register_viewer(request.reservation.id, body.display_name, known_by)
    return Reply(ViewerRegisterResponse.of(signed_in, user=_own(signed_in.user), device_token=token))


@routes.post("/auth/viewer/device-login", access=ANONYMOUS)
async def device_login(request: Request, body: DeviceLoginRequest) -> Reply[AuthResponse]:
    """Login with device token."""
    return Reply(_auth_response(await request.service(SIGN_IN).device_login(body.device_token)))


@routes.post("/auth/exchange-code", access=ANONYMOUS)
async def exchange_code(request: Request, body: ExchangeAuthCodeRequest) -> Reply[AuthResponse]:
    """Exchange auth code for tokens."""
    return Reply(_auth_response(await request.service(SIGN_IN).exchange_code(body.code)))


@routes.get("/auth/me", access=BEARER, scope=READ)
async def me(request: Request) -> Reply[UserResponse]:
    """Get current authenticated user."""
    return Reply(user_response(await request.service(SIGN_IN).me(request.caller), request.caller))


@routes.post("/auth/logout", access=BEARER, scope=WRITE)
async def logout(request: Request, body: LogoutRequest) -> Reply[None]:
    """Logout and invalidate refresh token."""
    await request.service(SIGN_IN).logout(request.caller, body.refresh_token)
    return ok()


def _auth_response(signed_in: SignedIn) -> AuthResponse:
    return AuthResponse.of(signed_in, user=_own(signed_in.user))


def _own(user: User) -> UserResponse:
    """The user as they see themselves."""
    return user_response(user, user.caller(""))
