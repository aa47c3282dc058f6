"""The documents that S3's configurations are set with, as records show them.

They are the XML of the request as JSON: elements by their names, one that came once without a list around
it, `xmlns` among them; but a bucket policy is the JSON that it is. Bodies and lists of keys are not shown:
"CloudTrail does not log key names for the keys that are deleted using the Delete Multiple Objects operation"
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from smas_emulator.cloudtrail.records.secrets import HIDDEN, Showing, showing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import ListShape, Shape, StructureShape

    from smas_emulator.cloudtrail.records.operations import Operation

_NOT_SHOWN = frozenset(
    {"Body", "AnnotationPayload", "Delete", "MultipartUpload", "RestoreRequest", "SelectRequest"}
)


def document(operation: Operation, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The request's document under its root element's name; {} for operations without one."""
    request = operation.request
    if request is None:
        return {}
    payload = request.serialization.get("payload")
    if payload is None or payload in _NOT_SHOWN or parameters.get(payload) is None:
        return {}
    value, shape = parameters[payload], request.members[payload]
    if operation.event_name == "PutBucketPolicy":
        return {"bucketPolicy": _parsed(value)}
    if shape.type_name != "structure" or not isinstance(value, dict):
        return {}
    content = _structure(cast("StructureShape", shape), value)
    namespace = shape.serialization.get("xmlNamespace", {}).get("uri")
    if namespace:
        content["xmlns"] = namespace
    return {shape.serialization.get("name", payload): content}


def _parsed(policy: Any) -> Any:
    try:
        return json.loads(policy)
    except (TypeError, ValueError):
        return policy if isinstance(policy, str) else HIDDEN


def _structure(shape: StructureShape, value: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, member in value.items():
        member_shape = shape.members.get(name)
        if member_shape is None or member is None:
            continue
        how = showing("s3", name, member_shape)
        if how is Showing.LEFT_OUT:
            continue
        element = member_shape.serialization.get("name", name)
        if how is Showing.HIDDEN:
            shown[element] = HIDDEN
        elif member_shape.type_name == "list":
            many = cast("ListShape", member_shape)
            flat = bool(member_shape.serialization.get("flattened"))
            item = many.member.serialization.get("name", "member")
            items = _items(many.member, member)
            if items is not None:
                shown[element] = items if flat else {item: items}
        else:
            shown[element] = _value(member_shape, member)
    return shown


def _items(shape: Shape, values: Any) -> Any:
    if not isinstance(values, list | tuple) or not values:
        return None
    items = [_value(shape, each) for each in values]
    return items[0] if len(items) == 1 else items


def _value(shape: Shape, value: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        return _structure(cast("StructureShape", shape), value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value if isinstance(value, str | bool | int | float) else HIDDEN
