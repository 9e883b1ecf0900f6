"""Whose project it is."""

from services.gateway.compat.operations import ForeignRequest


def customer_id(request: ForeignRequest) -> str:
    """100ms's account is our organization."""
    return request.caller.hosting_organization()
