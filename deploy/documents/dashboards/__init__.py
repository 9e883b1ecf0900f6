"""Grafana's dashboards, made from what is declared here by `greenroom openapi`."""

from __future__ import annotations

import json

from deploy.documents.dashboards import overviews, services


def dashboards() -> dict[str, bytes]:
    """File name -> dashboard."""
    made = (
        services.gateway(),
        services.session(),
        services.egress(),
        services.attendance(),
        services.recorder(),
        overviews.events(),
        overviews.session_life(),
    )
    return {f"{one.name}.json": (json.dumps(one.json(), indent=1) + "\n").encode() for one in made}
