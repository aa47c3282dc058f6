"""Which events a trail wants: basic and advanced event selectors.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html,
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from smas_emulator.cloudtrail.errors import trail_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from smas_emulator.cloudtrail.trails import Trail

# Recorded once for the whole world, in this region
# (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html).
GLOBAL_REGION = "us-east-1"
GLOBAL_SOURCES = frozenset(
    f"{service}.amazonaws.com" for service in ("cloudfront", "iam", "organizations", "route53", "sts")
)
_EXCLUDABLE = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
_MOST_SELECTORS, _MOST_RESOURCES, _MOST_CONDITIONS, _LONGEST_NAME = 5, 250, 500, 1_000
# The ARNs that mean everything of a type.
_EVERYTHING = {
    "AWS::S3::Object": frozenset({"arn:aws:s3", "arn:aws:s3:::"}),
    "AWS::Lambda::Function": frozenset({"arn:aws:lambda"}),
    "AWS::DynamoDB::Table": frozenset({"arn:aws:dynamodb"}),
}
# The fields that trails know, by the category of events.
_FIELDS = {
    "Management": frozenset({"eventCategory", "eventSource", "readOnly"}),
    "Data": frozenset(
        {
            *("eventCategory", "eventName", "eventSource", "eventType", "readOnly", "resources.ARN"),
            *("resources.type", "sessionCredentialFromConsole", "userIdentity.arn"),
        }
    ),
    "NetworkActivity": frozenset({"eventCategory", "eventSource", "eventName", "errorCode", "vpcEndpointId"}),
}
_NEEDED = {
    "Management": frozenset({"eventCategory"}),
    "Data": frozenset({"eventCategory", "resources.type"}),
    "NetworkActivity": frozenset({"eventCategory", "eventSource"}),
}
_EQUAL_ONLY = frozenset({"eventCategory", "readOnly", "resources.type", "sessionCredentialFromConsole"})
_TRUTHS = frozenset({"readOnly", "sessionCredentialFromConsole"})
# An operator takes one of its values (the negated ones: none of them).
_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "Equals": (False, str.__eq__),
    "StartsWith": (False, str.startswith),
    "EndsWith": (False, str.endswith),
    "NotEquals": (True, str.__eq__),
    "NotStartsWith": (True, str.startswith),
    "NotEndsWith": (True, str.endswith),
}


def wanted(trail: Trail, record: Mapping[str, Any]) -> bool:
    """Whether a trail is to have an event, by where it happened and by the trail's selectors."""
    if not _from_here(trail, record):
        return False
    if trail.advanced:
        return any(_all_fields(selector["FieldSelectors"], record) for selector in trail.advanced)
    return any(_basic(selector, record) for selector in trail.selectors)


def records_in(trail: Trail, region: str) -> bool:
    """Whether a trail has events of a region."""
    return trail.multi_region or trail.home_region == region


def _from_here(trail: Trail, record: Mapping[str, Any]) -> bool:
    if trail.account != record["recipientAccountId"]:
        return False
    if record["eventSource"] in GLOBAL_SOURCES and record["awsRegion"] == GLOBAL_REGION:
        return trail.global_events and records_in(trail, GLOBAL_REGION)
    return records_in(trail, record["awsRegion"])


def _basic(selector: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    kind = selector.get("ReadWriteType", "All")
    if kind != "All" and (kind == "ReadOnly") != record["readOnly"]:
        return False
    if record["eventCategory"] == "Management":
        excluded = selector.get("ExcludeManagementEventSources") or ()
        return selector.get("IncludeManagementEvents", True) and record["eventSource"] not in excluded
    return any(
        resource.get("type") == data["Type"]
        and _named(data, resource.get("ARN", resource.get("ARNPrefix", "")))
        for resource in record.get("resources") or ()
        for data in selector.get("DataResources") or ()
    )


def _named(data: Mapping[str, Any], arn: str) -> bool:
    """Whether an ARN is one of those named: a function's is named whole, an object's by its beginning."""
    everything, values = _EVERYTHING[data["Type"]], data.get("Values") or ()
    if data["Type"] == "AWS::S3::Object":
        return arn.startswith(tuple(values))
    return arn in values or not everything.isdisjoint(values)


def _all_fields(selectors: Iterable[Mapping[str, Any]], record: Mapping[str, Any]) -> bool:
    return all(_field(selector, _values(selector["Field"], record)) for selector in selectors)


def _values(field: str, record: Mapping[str, Any]) -> tuple[str, ...]:
    """The value of an event's field, if it has one."""
    resource: Mapping[str, str] = next(
        iter(record.get("resources") or ()), {}
    )  # of S3's, the first is the object
    match field:
        case "resources.type":
            value = resource.get("type")
        case "resources.ARN":
            value = resource.get("ARN", resource.get("ARNPrefix"))  # a listing has the beginning of one
        case "userIdentity.arn":
            value = (record.get("userIdentity") or {}).get("arn")
        case "readOnly":
            value = "true" if record["readOnly"] else "false"
        case _:
            value = record.get(field)
    return () if value is None else (str(value),)


def _field(selector: Mapping[str, Any], values: Sequence[str]) -> bool:
    for name, (negated, matches) in _OPERATORS.items():
        wanted_values = selector.get(name)
        if not wanted_values:
            continue
        found = any(matches(value, each) for value in values for each in wanted_values)
        if found == negated:
            return False
    return True


def check_basic(selectors: Sequence[Mapping[str, Any]]) -> None:
    """Raise `InvalidEventSelectorsException` for basic selectors that CloudTrail does not take."""
    if not 0 < len(selectors) <= _MOST_SELECTORS:
        _refuse(f"A trail has 1 to {_MOST_SELECTORS} event selectors.")
    resources = [data for selector in selectors for data in selector.get("DataResources") or ()]
    if sum(len(data.get("Values") or ()) for data in resources) > _MOST_RESOURCES:
        _refuse(f"A trail names at most {_MOST_RESOURCES} data resources.")
    for data in resources:
        kind = data.get("Type")
        if kind not in _EVERYTHING:
            _refuse(f"Value {kind} for DataResources.Type is invalid.")
        for value in data.get("Values") or ():
            if not _names(kind, value):
                _refuse(f"Value {value} for DataResources.Values is invalid.")
    for selector in selectors:
        if selector.get("ReadWriteType", "All") not in {"All", "ReadOnly", "WriteOnly"}:
            _refuse("ReadWriteType must be All, ReadOnly or WriteOnly.")
        if set(selector.get("ExcludeManagementEventSources") or ()) - _EXCLUDABLE:
            _refuse(f"Only {' and '.join(sorted(_EXCLUDABLE))} can be excluded.")


def _names(kind: str, value: str) -> bool:
    """Whether a value can name a resource: all of a type, or a function, a table, a bucket with its slash."""
    if value in _EVERYTHING[kind]:
        return True
    if kind == "AWS::S3::Object":
        bucket, slash, _prefix = value.removeprefix("arn:aws:s3:::").partition("/")
        return value.startswith("arn:aws:s3:::") and bool(bucket and slash) and "*" not in bucket
    return any(value.startswith(f"{everything}:") and "*" not in value for everything in _EVERYTHING[kind])


def check_advanced(selectors: Sequence[Mapping[str, Any]]) -> None:
    """Raise `InvalidEventSelectorsException` for advanced selectors that CloudTrail does not take."""
    if not selectors:
        _refuse("A trail has at least one advanced event selector.")
    for selector in selectors:
        if len(selector.get("Name") or "") > _LONGEST_NAME:
            _refuse(f"The name of a selector has at most {_LONGEST_NAME} characters.")
        _check_fields(selector.get("FieldSelectors") or ())
    conditions = sum(
        len(field.get(operator) or ())
        for selector in selectors
        for field in selector["FieldSelectors"]
        for operator in _OPERATORS
    )
    if conditions > _MOST_CONDITIONS:
        _refuse(f"A trail has at most {_MOST_CONDITIONS} values in its advanced event selectors.")


def _check_fields(fields: Sequence[Mapping[str, Any]]) -> None:
    names = [str(field.get("Field")) for field in fields]
    category = next((field.get("Equals") for field in fields if field.get("Field") == "eventCategory"), None)
    if not category or len(category) != 1 or category[0] not in _FIELDS:
        _refuse(f"A selector's eventCategory must equal one of {', '.join(_FIELDS)}.")
    if unknown := set(names) - _FIELDS[category[0]]:
        _refuse(f"{', '.join(sorted(unknown))} cannot be selected of {category[0]} events.")
    if missing := _NEEDED[category[0]] - set(names):
        _refuse(f"A selector of {category[0]} events must name {', '.join(sorted(missing))}.")
    if len(names) != len(set(names)):
        _refuse("A field stands once in a selector.")
    for name, field in zip(names, fields, strict=True):
        operators = {operator for operator in _OPERATORS if field.get(operator)}
        if not operators:
            _refuse(f"{name} needs an operator and a value.")
        if name in _EQUAL_ONLY and operators != {"Equals"}:
            _refuse(f"{name} takes the operator Equals alone.")
        if name in _TRUTHS and not set(field["Equals"]) <= {"true", "false"}:
            _refuse(f"{name} is true or false.")
        if (
            name == "eventSource"
            and category == ["Management"]
            and not (operators == {"NotEquals"} and set(field["NotEquals"]) <= _EXCLUDABLE)
        ):
            _refuse(f"Of management events, only {' and '.join(sorted(_EXCLUDABLE))} can be excluded.")


def _refuse(message: str) -> NoReturn:
    raise trail_error("InvalidEventSelectorsException", message)
