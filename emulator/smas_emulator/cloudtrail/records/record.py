"""One call and how it ended, as an event of CloudTrail.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.records import resources as resources_of_others
from smas_emulator.cloudtrail.records import s3
from smas_emulator.cloudtrail.records.additions import added_parameters
from smas_emulator.cloudtrail.records.identity import user_identity
from smas_emulator.cloudtrail.records.limits import (
    ADDITIONAL_DATA_BYTES,
    PARAMETERS_BYTES,
    cut,
    whole_or_omitted,
)
from smas_emulator.cloudtrail.records.operations import operation as known_operation
from smas_emulator.cloudtrail.records.secrets import HIDDEN, secrets_sent
from smas_emulator.cloudtrail.records.times import iso_seconds
from smas_emulator.gateway.principals import ServicePrincipal

if TYPE_CHECKING:
    from smas_emulator.cloudtrail.records.operations import Operation
    from smas_emulator.gateway.calls import Call, Outcome

EVENT_VERSION = "1.11"
# Services that are the same everywhere are recorded in one region
# (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events).
_GLOBAL_SERVICES = frozenset({"cloudfront", "iam", "organizations", "route53"})
_GLOBAL_REGION = "us-east-1"
_SHORTEST_SECRET = 4


def build_record(call: Call, outcome: Outcome) -> dict[str, Any]:
    """The event of a call that passed authentication, ready for JSON; a new `eventID` each time.

    A call that was refused or failed is an event like any other, with its error.
    """
    operation = known_operation(call.service, call.operation)
    failed = outcome.error_code is not None
    concealed = [*secrets_sent(call.http)] if failed else None
    parameters: dict[str, Any] | None
    if call.service == "s3":
        parameters = s3.request_parameters(call, operation)
        answered = s3.response_elements(outcome) if operation.shows_answer and not failed else None
        additional = s3.additional_data(call, outcome, operation)
        resources = s3.resources(call, operation)
    else:
        parameters = _parameters(call, operation, concealed)
        answered = _answer(operation, outcome) if operation.shows_answer and not failed else None
        additional = {}
        resources = resources_of_others.resources(call, outcome)
    source_ip, agent = _origin(call)
    record: dict[str, Any] = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": user_identity(call, outcome),
        "eventTime": iso_seconds(call.time),
        "eventSource": operation.event_source,
        "eventName": operation.event_name,
        "awsRegion": _GLOBAL_REGION if call.service in _GLOBAL_SERVICES else call.region,
        "sourceIPAddress": source_ip,
        "userAgent": cut(agent),
    }
    if concealed is not None:
        record["errorCode"] = cut(outcome.error_code or "")
        record["errorMessage"] = cut(_without(concealed, outcome.error_message or ""))
    record["requestParameters"] = whole_or_omitted("requestParameters", parameters, PARAMETERS_BYTES)
    record["responseElements"] = whole_or_omitted("responseElements", answered, PARAMETERS_BYTES)
    if additional:
        record["additionalEventData"] = whole_or_omitted(
            "additionalEventData", additional, ADDITIONAL_DATA_BYTES
        )
    record["requestID"] = cut(call.request_id)
    record["eventID"] = str(uuid.uuid4())
    record["readOnly"] = operation.read_only
    if resources is not None:
        record["resources"] = resources
    record["eventType"] = "AwsApiCall"
    if operation.api_version is not None:
        record["apiVersion"] = operation.api_version
    record["managementEvent"] = operation.category == "Management"
    record["recipientAccountId"] = call.account
    record["eventCategory"] = operation.category
    if call.http.secure and call.http.host and not isinstance(call.principal, ServicePrincipal):
        # AWS writes what it knows of TLS; here its end is elsewhere, and only the host is known.
        record["tlsDetails"] = {"clientProvidedHostHeader": call.http.host}
    return record


def _parameters(call: Call, operation: Operation, concealed: list[str] | None) -> dict[str, Any] | None:
    if operation.request is None:
        return None
    shown = operation.members.render(operation.request, call.parameters, concealed)
    return shown | added_parameters(call)


def _answer(operation: Operation, outcome: Outcome) -> dict[str, Any] | None:
    if operation.answer is None:
        return None
    return operation.members.render(operation.answer, outcome.response)


def _origin(call: Call) -> tuple[str, str]:
    """Address and agent: a service is both, and S3 writes agents in brackets."""
    if isinstance(call.principal, ServicePrincipal):
        return call.principal.name, call.principal.name
    agent = call.http.headers.get("user-agent", "")
    return call.http.source_ip, f"[{agent}]" if call.service == "s3" else agent


def _without(concealed: list[str], message: str) -> str:
    """The message without what it quotes of hidden parameters."""
    for secret in sorted(concealed, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            message = message.replace(secret, HIDDEN)
    return message
