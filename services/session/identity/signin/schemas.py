"""HTTP bodies and data of signing in."""

from typing import Annotated

from pydantic import EmailStr, StringConstraints

from services.session.identity.accounts.schemas import Username, UserResponse
from shared.http import Body, Data

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
