"""The OpenAPI 3.1 document of a service, from its declared routes."""

import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.http.idempotency import HEADER as IDEMPOTENCY_HEADER
from shared.http.openapi_parts import REF, Document, document, json_content, path_parameter, refusal, security
from shared.http.routes import Access, Route

_PARAMETER = re.compile(r"{(\w+)(?::[^}]*)?}")
_ALWAYS = (429, 500, 502, 503, 504)
_IDEMPOTENCY_KEY = {
    "name": IDEMPOTENCY_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key within 24 hours has one effect; with another body it is refused.",
}


def service_document(service: str, routes: Sequence[Route]) -> Document:
    """The OpenAPI document of one service; internal operations are left out."""
    public = [route for route in routes if route.access is not Access.INTERNAL]
    models, schemas = _schemas(public)
    paths: Document = {}
    for route in public:
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, models)
    return document(f"Greenroom {service}", paths, schemas)


def _schemas(routes: Sequence[Route]) -> tuple[Mapping[Any, Any], Document]:
    """The JSON schemas of all bodies (as read) and of all data (as written), and what queries refer to."""
    wanted: dict[tuple[type[BaseModel], str], None] = {}
    for route in routes:
        if route.body is not None:
            wanted[route.body, "validation"] = None
        model = _model_of(route.data)
        if model is not None:
            wanted[model, "serialization"] = None
    models, definitions = models_json_schema(list(wanted), ref_template=REF)  # type: ignore[arg-type]
    schemas: Document = definitions.get("$defs", {})
    for query in {route.query for route in routes if route.query is not None}:
        schemas |= _query_schema(query).get("$defs", {})
    return models, schemas


def _operation(route: Route, models: Mapping[Any, Any]) -> Document:
    summary, _, description = route.docstring.partition("\n")
    operation: Document = {
        "operationId": route.operation_id,
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "responses": _responses(route, models),
        "x-access": route.access.value,
    }
    if route.scope is not None:
        operation["x-scope"] = route.scope.value
    if description.strip():
        operation["description"] = description.strip()
    parameters = [*map(path_parameter, _PARAMETER.findall(route.path)), *_query_parameters(route)]
    parameters += [_IDEMPOTENCY_KEY] if route.idempotent else []
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        schema = models[route.body, "validation"]
        operation["requestBody"] = {"required": True, "content": json_content(schema)}
    if route.uploads:
        file = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(route.uploads, file)}
    wanted = security(route.access)
    if wanted:
        operation["security"] = wanted
    if route.mirrored:
        operation["x-library-scoped"] = True
    return operation


def _responses(route: Route, models: Mapping[Any, Any]) -> Document:
    responses = _file_answers(route) if route.file else _answer(route, models)
    return responses | {str(status): refusal(status) for status in sorted(_refusals(route))}


def _answer(route: Route, models: Mapping[Any, Any]) -> Document:
    schema = _data(route.data, models)
    if not route.bare:
        properties = {"success": {"const": True}, "data": schema, "timestamp": {"type": "integer"}}
        schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {str(route.status): {"description": "Done", "content": json_content(schema)}}


def _file_answers(route: Route) -> Document:
    content: Document = {"*/*": {}}
    if route.method != "GET":
        return {str(route.status): {"description": "Done", "content": content}}
    return {
        "200": {"description": "The file", "content": content},
        "206": {"description": "A range of the file", "content": content},
        "304": {"description": "The file has not changed"},
    }


def _refusals(route: Route) -> set[int]:
    # A bad token, and a key without the scope, are refused on public operations too.
    if route.access is Access.PROXY:
        return {413, 415, 422, *_ALWAYS}
    statuses = {401, *route.refuses, *_ALWAYS}
    if route.access is not Access.ANONYMOUS or route.file:
        statuses.add(403)
    if route.file and route.method == "GET":
        statuses.add(416)
    if "{" in route.path or route.mirrored:
        statuses.add(404)
    if route.method in {"POST", "PATCH", "DELETE"}:
        statuses |= {404, 413}
    if route.method in {"POST", "PATCH"}:
        statuses.add(415)
    if route.conflicts:
        statuses.add(409)
    if route.body is not None:
        statuses.add(422)
    if route.query is not None or route.idempotent or route.access is Access.SIGNED:
        statuses.add(422)
    return statuses


def _query_parameters(route: Route) -> list[Document]:
    if route.query is None:
        return []
    schema = _query_schema(route.query)
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
    ]


def _query_schema(query: type[BaseModel]) -> Document:
    return query.model_json_schema(ref_template=REF)


def _data(data: Any, models: Mapping[Any, Any]) -> Document:
    model = _model_of(data)
    if model is None:
        return {"type": "null"}
    schema: Document = models[model, "serialization"]
    return schema if model is data else {"anyOf": [schema, {"type": "null"}]}


def _model_of(data: Any) -> type[BaseModel] | None:
    """The model of the data, also if that may be null."""
    kinds = [data, *typing.get_args(data)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
