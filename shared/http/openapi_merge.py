"""One OpenAPI document of several services': mirrors under libraries, links to what operations create."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from shared.http.openapi_parts import Document, document, path_parameter, refusal

LIBRARY_PREFIX: Final = "/libraries/{library_id}"

_PREFIX = "#/components/schemas/"
_JSON = "application/json"


def merge_documents(documents: Iterable[Mapping[str, Any]]) -> Document:
    """One document of all operations, the library-scoped ones also under their mirrored path."""
    paths: Document = {}
    schemas: Document = {}
    for one in documents:
        for path, operations in one["paths"].items():
            paths.setdefault(path, {}).update(operations)
        schemas.update(one["components"]["schemas"])
    mirrors: Document = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            if operation.get("x-library-scoped"):
                mirrors.setdefault(LIBRARY_PREFIX + path, {})[method] = _mirror(operation)
    every = dict(sorted({**paths, **mirrors}.items()))
    _add_links(every, schemas)
    return document("Greenroom", every, schemas)


def _mirror(operation: Mapping[str, Any]) -> Document:
    parameters = [path_parameter("library_id"), *operation.get("parameters", ())]
    responses = dict(operation["responses"])
    responses.setdefault("404", refusal(404))
    return {
        **operation,
        "operationId": operation["operationId"] + "_in_library",
        "parameters": parameters,
        "responses": responses,
    }


def _add_links(paths: Mapping[str, Document], schemas: Mapping[str, Document]) -> None:
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
            # Copied: an operation and its mirror hold the same answers.
            answers = post["responses"] | {"201": created | {"links": links}}
            operations["post"] = post | {"responses": answers}


def _targets(path: str, paths: Mapping[str, Document]) -> Iterator[Document]:
    """The operations on one of the things that a POST to `path` creates."""
    noun = path.rpartition("/")[2]
    in_library = path.startswith(LIBRARY_PREFIX + "/")
    for other, operations in paths.items():
        segments = other.split("/")
        if "{id}" not in segments or segments[segments.index("{id}") - 1] != noun:
            continue
        if other.startswith(LIBRARY_PREFIX + "/") is in_library:
            yield from operations.values()


def _link(target: Document, where: str) -> Document:
    parameters = {"id": f"$response.body#{where}"}
    if any(parameter["name"] == "library_id" for parameter in target.get("parameters", ())):
        parameters["library_id"] = "$request.path.library_id"
    return {"operationId": target["operationId"], "parameters": parameters}


def _id_pointer(answer: Document, schemas: Mapping[str, Document]) -> str | None:
    """The JSON pointer to the created thing's id: in the data itself, or in its one member that has one."""
    if _JSON not in answer["content"]:
        return None
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
