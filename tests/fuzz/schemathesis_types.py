"""Schemathesis's types as they are used here."""

from typing import Any, TypeAlias

from schemathesis import Case
from schemathesis.schemas import APIOperation

AnyCase: TypeAlias = Case[Any]
AnyOperation: TypeAlias = APIOperation[Any, Any, Any, Any]
