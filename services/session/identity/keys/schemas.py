"""HTTP bodies and data about API keys."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.access.identity import Scope
from shared.http import Body, Data
from shared.http.schema import Line

Name = Annotated[Line, Field(min_length=1, max_length=100)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=2)]


class CreateApiKeyRequest(Body):
    user_id: str
    name: Name
    scopes: Scopes = Field(default_factory=lambda: list(Scope))


class UpdateApiKeyRequest(Body):
    name: Name | None = None
    scopes: Scopes | None = None


class ApiKeyResponse(Data):
    id: str
    organization_id: str
    user_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    updated_at: datetime


class ApiKeyWithSecretResponse(ApiKeyResponse):
    """The secret is shown once, when the key is created."""

    secret: str


class ApiKeyListResponse(Data):
    api_keys: list[ApiKeyResponse]
    total: int
    page: int
    limit: int


class ExchangeApiKeyRequest(Body):
    id: str
    secret: str


class ExchangeManagementTokenRequest(Body):
    token: Annotated[str, Field(min_length=1, max_length=8192)]


class ExchangedResponse(Data):
    access_token: str
    expires_at: datetime
