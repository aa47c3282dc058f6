"""What STS demands of an AssumeRole request before it asks who may.

Formats and lengths are those of https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html; the
rules for tags and chains are in https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from smas_emulator.authorization.policy_texts import compiled
from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.principals import RoleSession
from smas_emulator.iam.documents import MalformedPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from smas_emulator.authorization.ports import RoleFacts
    from smas_emulator.gateway.calls import Call

DEFAULT_SECONDS = 3600
SHORTEST_SECONDS, LONGEST_SECONDS = 900, 43_200
LONGEST_CHAINED_SECONDS = 3600
LONGEST_POLICY = 2048
MOST_TAGS = 50
LONGEST_TAG_KEY, LONGEST_TAG_VALUE = 128, 256
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)
_NAME, _EXTERNAL_ID = r"[\w+=,.@-]*", r"[\w+=,.@:\/-]*"
_TAG_PATTERN = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]"
_TAG_PUNCTUATION = frozenset("_.:/=+-@")


def validate_assume_role(call: Call) -> None:
    """Raise the error STS answers to a request that is malformed, whoever makes it."""
    parameters = call.parameters
    found = [*_violations(parameters), *_tag_violations(parameters)]
    if found:
        plural = "error" if len(found) == 1 else "errors"
        message = f"{len(found)} validation {plural} detected: {'; '.join(found)}"
        raise _invalid(message)
    if not _ROLE_ARN.fullmatch(parameters["RoleArn"]):
        message = f"{parameters['RoleArn']} is invalid"
        raise _invalid(message)
    if parameters.get("PolicyArns"):
        raise _invalid("Managed policies as session policies are not supported by the local AWS.")
    _validate_source_identity(call)
    _validate_tags(call)
    _validate_policy(parameters.get("Policy"))


def validate_duration(call: Call, role: RoleFacts) -> None:
    """Raise STS's error for a session that would last longer than the role, or a chain, allows."""
    seconds = int(call.parameters.get("DurationSeconds") or DEFAULT_SECONDS)
    if seconds > role.max_session_seconds:
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if seconds > LONGEST_CHAINED_SECONDS and isinstance(call.principal, RoleSession):
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit "
            "for roles assumed by role chaining."
        )


def session_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The tags that a request gives its session."""
    return {tag["Key"]: tag["Value"] for tag in parameters.get("Tags") or ()}


def inherited_tags(call: Call) -> dict[str, str]:
    """The transitive tags of the session that calls."""
    caller = call.principal
    if not isinstance(caller, RoleSession):
        return {}
    return {key: value for key, value in caller.tags.items() if key in caller.transitive_tags}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message, 400)


def _violations(parameters: Mapping[str, Any]) -> Iterator[str]:
    yield from _text(parameters, "RoleArn", 20, 2048, required=True)
    yield from _text(parameters, "RoleSessionName", 2, 64, _NAME, required=True)
    yield from _text(parameters, "SourceIdentity", 2, 64, _NAME)
    yield from _text(parameters, "ExternalId", 2, 1224, _EXTERNAL_ID)
    yield from _text(parameters, "Policy", 1, LONGEST_POLICY)
    seconds = parameters.get("DurationSeconds")
    if seconds is not None and int(seconds) < SHORTEST_SECONDS:
        yield _violation(
            seconds, "durationSeconds", f"have value greater than or equal to {SHORTEST_SECONDS}"
        )
    if seconds is not None and int(seconds) > LONGEST_SECONDS:
        yield _violation(seconds, "durationSeconds", f"have value less than or equal to {LONGEST_SECONDS}")


def _text(
    parameters: Mapping[str, Any],
    member: str,
    shortest: int,
    longest: int,
    pattern: str | None = None,
    *,
    required: bool = False,
) -> Iterator[str]:
    value = parameters.get(member)
    name = member[0].lower() + member[1:]
    if value is None:
        if required:
            yield f"Value null at '{name}' failed to satisfy constraint: Member must not be null"
        return
    if pattern is not None and not re.fullmatch(pattern, value, re.ASCII):
        yield _violation(value, name, f"satisfy regular expression pattern: {pattern}")
    if len(value) > longest:
        yield _violation(value, name, f"have length less than or equal to {longest}")
    if len(value) < shortest:
        yield _violation(value, name, f"have length greater than or equal to {shortest}")


def _violation(value: Any, member: str, must: str) -> str:
    return f"Value '{value}' at '{member}' failed to satisfy constraint: Member must {must}"


def _tag_violations(parameters: Mapping[str, Any]) -> Iterator[str]:
    tags = parameters.get("Tags") or ()
    if len(tags) > MOST_TAGS:
        yield (
            "Value at 'tags' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_TAGS}"
        )
    for number, tag in enumerate(tags, start=1):
        for part, shortest, longest, sign in (
            ("Key", 1, LONGEST_TAG_KEY, "+"),
            ("Value", 0, LONGEST_TAG_VALUE, "*"),
        ):
            value = tag.get(part) or ""
            member = f"tags.{number}.member.{part.lower()}"
            if not all(_may_be_in_tag(character) for character in value):
                yield _violation(value, member, f"satisfy regular expression pattern: {_TAG_PATTERN}{sign}")
            if len(value) > longest:
                yield _violation(value, member, f"have length less than or equal to {longest}")
            if len(value) < shortest:
                yield _violation(value, member, f"have length greater than or equal to {shortest}")


def _may_be_in_tag(character: str) -> bool:
    return character in _TAG_PUNCTUATION or unicodedata.category(character)[0] in "LZN"


def _validate_source_identity(call: Call) -> None:
    wanted = call.parameters.get("SourceIdentity")
    if wanted is None or not isinstance(call.principal, RoleSession):
        return
    if call.principal.source_identity not in {None, wanted}:
        raise _invalid("The source identity is already set for this assume role session")


def _validate_tags(call: Call) -> None:
    keys = [tag["Key"].lower() for tag in call.parameters.get("Tags") or ()]
    if len(set(keys)) < len(keys):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise AwsError("InvalidParameterValue", message, 400)
    if any(key.startswith("aws:") for key in keys):
        raise _invalid("Tag keys that begin with aws: are reserved.")
    if {key.lower() for key in inherited_tags(call)} & set(keys):
        message = (
            "One of the specified transitive tag keys can't be set because it conflicts with a "
            "transitive tag key from the calling session."
        )
        raise AwsError("InvalidParameterValue", message, 400)
    transitive = {key.lower() for key in call.parameters.get("TransitiveTagKeys") or ()}
    if not transitive <= set(keys):
        message = "The specified transitive tag key must be included in the requested tags."
        raise AwsError("InvalidParameterValue", message, 400)


def _validate_policy(policy: str | None) -> None:
    if policy is None:
        return
    try:
        compiled(policy)
        document = json.loads(policy)
    except MalformedPolicy as fault:
        raise AwsError("MalformedPolicyDocument", str(fault), 400) from None
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Principal" in statement or "NotPrincipal" in statement:
            message = "Policy document should not specify a principal."
            raise AwsError("MalformedPolicyDocument", message, 400)
