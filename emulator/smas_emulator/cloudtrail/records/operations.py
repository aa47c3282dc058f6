"""What CloudTrail knows of an operation before anybody calls it: its names, its kind, whether it reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationNotFoundError, ServiceModel

from smas_emulator.cloudtrail.records.categories import is_data_event, is_read_only, returns_its_answer
from smas_emulator.cloudtrail.records.members import Members
from smas_emulator.cloudtrail.records.names import event_name, event_source

if TYPE_CHECKING:
    from botocore.model import OperationModel, StructureShape

    from smas_emulator.gateway.calls import Call

Category = Literal["Management", "Data"]

# These have no event in CloudTrail. EventBridge, Firehose and CloudWatch Logs list the operations that have:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/logging_cw_api_calls_cwl.html
# https://docs.aws.amazon.com/firehose/latest/dev/monitoring-using-cloudtrail.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-logging-monitoring.html
_NOT_RECORDED = {
    "events": frozenset({"PutEvents", "PutPartnerEvents"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "logs": frozenset({"PutLogEvents"}),
}
# Their events carry the version of the API.
_WITH_API_VERSION = frozenset({"logs"})


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a service; `request` and `answer` are None where it has none or botocore knows none."""

    service: str
    event_source: str
    event_name: str
    category: Category
    read_only: bool
    shows_answer: bool
    api_version: str | None
    request: StructureShape | None
    answer: StructureShape | None
    path: str
    members: Members


def event_class(call: Call) -> Category:
    """`Data` for what is done in a resource, `Management` for what is done to one."""
    return operation(call.service, call.operation).category


def is_recorded(call: Call) -> bool:
    """Whether CloudTrail has an event for the call at all, however it was signed."""
    return call.operation not in _NOT_RECORDED.get(call.service, ())


@cache
def operation(service: str, name: str) -> Operation:
    """What is known of an operation, by botocore's names.

    One that botocore does not know, as S3's upload from an HTML form, has no members that could be shown.
    """
    model = service_model(service)
    known = _operation_model(model, name)
    path = known.http.get("requestUri", "/") if known is not None else "/"
    read_only = is_read_only(service, name)
    return Operation(
        service=service,
        event_source=event_source(service, model.endpoint_prefix if model else service),
        event_name=event_name(service, name, path),
        category="Data" if is_data_event(service, name, path) else "Management",
        read_only=read_only,
        shows_answer=returns_its_answer(service, name) or not read_only,
        api_version=model.api_version.replace("-", "") if model and service in _WITH_API_VERSION else None,
        request=known.input_shape if known else None,
        answer=known.output_shape if known else None,
        path=path,
        members=_members(service),
    )


@cache
def service_model(service: str) -> ServiceModel | None:
    """Botocore's model of a service; None for one it does not have."""
    try:
        description = Loader().load_service_model(service, "service-2")
    except UnknownServiceError:
        return None
    return ServiceModel(cast("dict[str, object]", description), service)


@cache
def _members(service: str) -> Members:
    return Members(service)


def _operation_model(model: ServiceModel | None, name: str) -> OperationModel | None:
    if model is None:
        return None
    try:
        return model.operation_model(name)
    except OperationNotFoundError:
        return None
