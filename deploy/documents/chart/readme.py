"""The chart's README.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from deploy.documents.chart.values import Value


def readme(values: Sequence[Value]) -> bytes:
    said = descriptions(values)
    single = [value for value in values if not value.children]
    sections = [_section(value, said) for value in values if value.children]
    return "\n".join([INTRODUCTION, _table(single, said), *sections]).encode()


def descriptions(values: Sequence[Value]) -> dict[str, str]:
    """What each leaf is: its comment, or that of the first with the same path below another section."""
    leaves = [leaf for value in values for leaf in value.leaves()]
    first: dict[tuple[str, ...], str] = {}
    for leaf in leaves:
        if leaf.comment:
            first.setdefault(leaf.path[1:], leaf.comment)
    return {leaf.name: leaf.comment or first.get(leaf.path[1:], "") for leaf in leaves}


def _section(value: Value, said: Mapping[str, str]) -> str:
    described = f"{value.comment}\n\n" if value.comment else ""
    return f"### {value.path[0]}\n\n{described}{_table(list(value.leaves()), said)}"


def _table(values: Sequence[Value], said: Mapping[str, str]) -> str:
    rows = [_row(f"`{one.name}`", f"`{_written(one.default)}`", said[one.name]) for one in values]
    return "\n".join([_row("value", "default", "what it is"), _row("---", "---", "---"), *rows, ""])


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _written(default: object) -> str:
    """A default as YAML on one line."""
    if isinstance(default, Mapping):
        return "{" + ", ".join(f"{key}: {_written(value)}" for key, value in default.items()) + "}"
    if isinstance(default, list):
        return "[" + ", ".join(map(_written, default)) + "]"
    return json.dumps(default) if default == "" or not isinstance(default, str) else default


INTRODUCTION: Final = """# The Helm chart

Made from values.yaml by `greenroom openapi`: do not edit.

It runs the gateway, the session, egress and attendance services, and, if wanted, recorders and a relay.
MongoDB, RabbitMQ, Redis, LiveKit and the storage are elsewhere: it is given their addresses.
[kubernetes.md](../../../docs/operations/kubernetes.md) says how all of it is installed, with operators.

```sh
helm install greenroom deploy/helm/greenroom --namespace greenroom --create-namespace --values my-values.yaml
helm test greenroom --namespace greenroom
```

Credentials are in Secrets: each value that is one can be left out for the name of a Secret
(`existingSecret`) and the keys in it, as all of them are by default. What stands in the values goes into a
Secret of the chart.

Values that are not here are refused (values.schema.json), as are settings that a service does not have.

## Values
"""
