"""``/openapi.json``: OpenAPI 3.1, made from the declared operations, so it cannot say anything else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from service.web.operations import View
from service.web.problems import (
    ALL_KINDS,
    FORBIDDEN,
    INTERNAL,
    INVALID_REQUEST,
    MEDIA_TYPE,
    NOT_FOUND,
    PAYLOAD_TOO_LARGE,
    STORAGE_UNAVAILABLE,
    THROTTLED,
    UNAUTHENTICATED,
    VALIDATION_FAILED,
    Kind,
    Problem,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from service.web.operations import Operation

API_VERSION: Final = "1"
_REFS: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_PATH_PARAMETERS: Final = {
    "team": "the team's name",
    "model": "the model's name",
    "sha256": "the blob's SHA-256, lower-case hex",
    "ref": "a version number, an alias, or latest",
    "path": "the file's path, slashes and all",
    "alias": "the alias's name",
}
_ABOUT: Final = (
    "Publish, verify and fetch versioned machine-learning models. Bytes travel between clients and S3 with "
    "presigned URLs; every act is done, and recorded by AWS, in the caller's own name."
)


def operations(app: Flask) -> Iterator[Operation]:
    """Every declared operation of ``app``, by path and method."""
    views = (app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules())
    declared = [view.operation for view in views if isinstance(view, View)]
    yield from sorted(declared, key=lambda operation: (operation.rule, operation.method))


def describe(app: Flask, public_url: str) -> dict[str, object]:
    """The OpenAPI document of ``app``, which clients reach at ``public_url``."""
    declared = list(operations(app))
    kinds = [Problem, *(operation.body for operation in declared if operation.body)]
    for operation in declared:
        kinds += [kind for kind in operation.answers.values() if kind not in {None, dict}]
    kinds = list(dict.fromkeys(kinds))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFS)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for operation in declared:
        path = _PARAMETER.sub(r"{\g<name>}", operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Secure model artifact store", "version": API_VERSION, "description": _ABOUT},
        "servers": [{"url": public_url}],
        "security": [{"cognito": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "cognito": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "a Cognito access token: see /.well-known/oauth-protected-resource",
                }
            },
        },
    }


def _described(operation: Operation, schema_of: dict[Any, Any]) -> dict[str, object]:
    described: dict[str, object] = {
        "operationId": f"{operation.method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', operation.rule)}".rstrip(
            "_"
        ),
        "summary": operation.summary.rstrip("."),
        "parameters": [*_path_parameters(operation.rule), *_other_parameters(operation)],
        "responses": {
            **{
                str(status): _answer(status, schema_of.get(kind, {"type": "object"}) if kind else None)
                for status, kind in sorted(operation.answers.items())
            },
            **_problems(operation),
        },
    }
    if operation.description:
        described["description"] = operation.description
    if operation.access.permissions:
        described["x-permissions"] = [permission.value for permission in operation.access.permissions]
    if not operation.access.needs_token:
        described["security"] = []
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema_of[operation.body]}},
        }
    return described


def _path_parameters(rule: str) -> list[dict[str, object]]:
    return [
        {
            "name": match["name"],
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[match["name"]],
            "schema": {"type": "string"},
        }
        for match in _PARAMETER.finditer(rule)
    ]


def _other_parameters(operation: Operation) -> list[dict[str, object]]:
    return [
        {
            "name": parameter.name,
            "in": parameter.place,
            "required": parameter.required,
            "description": parameter.description,
            "schema": dict(parameter.schema),
        }
        for parameter in operation.parameters
    ]


def _answer(status: int, schema: object) -> dict[str, object]:
    meaning = {200: "OK", 201: "Created", 204: "Done", 302: "Redirect to S3", 503: "Not ready"}[status]
    if schema is None:
        return {"description": meaning}
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def _problems(operation: Operation) -> dict[str, object]:
    by_status: dict[int, list[Kind]] = {}
    for kind in _kinds(operation):
        by_status.setdefault(kind.status, []).append(kind)
    return {
        str(status): {
            "description": " ".join(f"`{kind.code}`: {kind.when}" for kind in kinds),
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REFS.format(name="Problem")}}},
        }
        for status, kinds in sorted(by_status.items())
        if status not in operation.answers
    }


def _kinds(operation: Operation) -> list[Kind]:
    """The problems an operation may answer with, in the table's order."""
    kinds = {INTERNAL, *operation.problems}
    if operation.access.needs_token:
        kinds |= {UNAUTHENTICATED, STORAGE_UNAVAILABLE}
    if operation.access.permissions:
        kinds |= {FORBIDDEN, NOT_FOUND, VALIDATION_FAILED, THROTTLED}
    if operation.body:
        kinds |= {INVALID_REQUEST, PAYLOAD_TOO_LARGE, VALIDATION_FAILED}
    return [kind for kind in ALL_KINDS if kind in kinds]
