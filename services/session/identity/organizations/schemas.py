"""HTTP bodies and data about organizations."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.session.identity.organizations.domain import Organization
from shared.http import Body, Data
from shared.http.schema import Line

Name = Annotated[Line, Field(min_length=1, max_length=255)]


class OrganizationRequest(Body):
    name: Name


class UpdateOrganizationRequest(Body):
    name: Name | None = None


class OrganizationResponse(Data):
    id: str
    name: str
    default_library_id: str
    created_at: datetime
    updated_at: datetime


class OrganizationListResponse(Data):
    organizations: list[OrganizationResponse]
    total: int
    page: int
    limit: int


def organization_response(organization: Organization) -> OrganizationResponse:
    return OrganizationResponse.model_validate(organization, from_attributes=True)
