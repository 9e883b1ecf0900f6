"""OpenAPI links: what an operation creates is the `{id}` of others."""

from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]

_PREFIX = "#/components/schemas/"
_JSON = "application/json"


def add_links(paths: Mapping[str, Document], schemas: Mapping[str, Document]) -> None:
    """Give each answer of 201 with an id the links to the operations on what was created.

    Which those are follows from the paths: what `/rooms/{id}/sessions` creates is found under
    `/sessions/{id}`, and what was created under a library under the same library.
    """
    for path, operations in paths.items():
        post = operations.get("post", {"responses": {}})
        created = post["responses"].get("201")
        where = _id_pointer(created, schemas) if created else None
        if where is None:
            continue
        links = {target["operationId"]: _link(target, where) for target in _targets(path, paths)}
        if links:
            # Anew: an operation and its mirror hold the same answers.
            answers = post["responses"] | {"201": created | {"links": links}}
            operations["post"] = post | {"responses": answers}


def _targets(path: str, paths: Mapping[str, Document]) -> Iterator[Document]:
    """The operations on one of the things that a POST to `path` creates."""
    noun = path.rpartition("/")[2]
    in_library = path.startswith("/libraries/{library_id}/")
    for other, operations in paths.items():
        segments = other.split("/")
        if "{id}" not in segments or segments[segments.index("{id}") - 1] != noun:
            continue
        if other.startswith("/libraries/{library_id}/") is in_library:
            yield from operations.values()


def _link(target: Document, where: str) -> Document:
    parameters = {"id": f"$response.body#{where}"}
    if any(parameter["name"] == "library_id" for parameter in target.get("parameters", ())):
        parameters["library_id"] = "$request.path.library_id"
    return {"operationId": target["operationId"], "parameters": parameters}


def _id_pointer(answer: Document, schemas: Mapping[str, Document]) -> str | None:
    """The JSON pointer to the created thing's id: in the data itself, or in its one member that has one."""
    data = _resolved(answer["content"][_JSON]["schema"]["properties"]["data"], schemas)
    members: Document = data.get("properties", {})
    if "id" in members:
        return "/data/id"
    owners = [
        name for name, schema in members.items() if "id" in _resolved(schema, schemas).get("properties", {})
    ]
    return f"/data/{owners[0]}/id" if len(owners) == 1 else None


def _resolved(schema: Document, schemas: Mapping[str, Document]) -> Document:
    return schemas.get(schema.get("$ref", "").removeprefix(_PREFIX), schema)
