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
_DATA_TYPES = frozenset({"AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"})
_EXCLUDABLE = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
_MOST_SELECTORS, _MOST_RESOURCES, _MOST_CONDITIONS = 5, 250, 500
_FIELDS = frozenset(
    [
        *(
            "readOnly",
            "eventSource",
            "eventName",
            "eventCategory",
            "eventType",
            "sessionCredentialFromConsole",
        ),
        *("resources.type", "resources.ARN", "userIdentity.arn", "errorCode", "vpcEndpointId"),
    ]
)
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


def _from_here(trail: Trail, record: Mapping[str, Any]) -> bool:
    if trail.account != record["recipientAccountId"]:
        return False
    if record["eventSource"] in GLOBAL_SOURCES and record["awsRegion"] == GLOBAL_REGION:
        return trail.global_events and (trail.multi_region or trail.home_region == GLOBAL_REGION)
    return trail.multi_region or trail.home_region == record["awsRegion"]


def _basic(selector: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    kind = selector.get("ReadWriteType", "All")
    if kind != "All" and (kind == "ReadOnly") != record["readOnly"]:
        return False
    if record["eventCategory"] == "Management":
        excluded = selector.get("ExcludeManagementEventSources") or ()
        return selector.get("IncludeManagementEvents", True) and record["eventSource"] not in excluded
    return any(
        resource.get("type") == data["Type"]
        and _below(resource.get("ARN", resource.get("ARNPrefix", "")), data.get("Values") or ())
        for resource in record.get("resources") or ()
        for data in selector.get("DataResources") or ()
    )


def _below(arn: str, values: Iterable[str]) -> bool:
    """Whether a value is the beginning of an ARN; `arn:aws:s3` alone means every object."""
    return any(arn.startswith(value) for value in values)


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
        if data.get("Type") not in _DATA_TYPES:
            _refuse(f"{data.get('Type')} is not a type of data resource.")
        if not all(value.startswith("arn:") for value in data.get("Values") or ()):
            _refuse("The values of a data resource are ARNs, or the beginnings of ARNs.")
    for selector in selectors:
        if selector.get("ReadWriteType", "All") not in {"All", "ReadOnly", "WriteOnly"}:
            _refuse("ReadWriteType must be All, ReadOnly or WriteOnly.")
        if set(selector.get("ExcludeManagementEventSources") or ()) - _EXCLUDABLE:
            _refuse(f"Only {' and '.join(sorted(_EXCLUDABLE))} can be excluded.")


def check_advanced(selectors: Sequence[Mapping[str, Any]]) -> None:
    """Raise `InvalidEventSelectorsException` for advanced selectors that CloudTrail does not take."""
    if not selectors:
        _refuse("A trail has at least one advanced event selector.")
    conditions = 0
    for selector in selectors:
        fields = selector.get("FieldSelectors") or ()
        names = [field.get("Field") for field in fields]
        if unknown := set(names) - _FIELDS:
            _refuse(f"{', '.join(map(str, sorted(unknown, key=str)))} is not a field of events.")
        if len(names) != len(set(names)):
            _refuse("A field stands once in a selector.")
        for field in fields:
            operators = [name for name in _OPERATORS if field.get(name)]
            if not operators:
                _refuse(f"{field['Field']} needs an operator and a value.")
            conditions += sum(len(field[name]) for name in operators)
        category = next((field.get("Equals") for field in fields if field["Field"] == "eventCategory"), None)
        if category not in (["Management"], ["Data"], ["NetworkActivity"]):
            _refuse("A selector's eventCategory must equal Management, Data or NetworkActivity.")
        if category == ["Data"] and "resources.type" not in names:
            _refuse("A selector of data events must name their resources.type.")
    if conditions > _MOST_CONDITIONS:
        _refuse(f"A trail has at most {_MOST_CONDITIONS} values in its advanced event selectors.")


def _refuse(message: str) -> NoReturn:
    raise trail_error("InvalidEventSelectorsException", message)
