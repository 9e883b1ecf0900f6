"""HTTP bodies and data about libraries."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.contracts.states import Visibility
from shared.http import Body, Data
from shared.http.schema import Line

Name = Annotated[Line, Field(min_length=1, max_length=255)]


class CreateLibraryRequest(Body):
    organization_id: str
    name: Name
    visibility: Visibility = Visibility.PUBLIC
    registered_only: bool = False


class UpdateLibraryRequest(Body):
    name: Name | None = None
    visibility: Visibility | None = None
    registered_only: bool | None = None


class LibraryResponse(Data):
    id: str
    organization_id: str
    name: str
    visibility: Visibility
    registered_only: bool
    is_default: bool
    created_at: datetime
    updated_at: datetime


class LibraryListResponse(Data):
    libraries: list[LibraryResponse]
    total: int
    page: int
    limit: int
