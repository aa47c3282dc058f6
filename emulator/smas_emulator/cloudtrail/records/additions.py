"""Parameters that a service records without having been sent them as such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smas_emulator.gateway.principals import RoleSession

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call

# https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html
_WITH_DEFAULT_ALGORITHM = frozenset({"Decrypt", "Encrypt"})


def added_parameters(call: Call) -> dict[str, Any]:
    """What is added to the request's own members, in lower camel case.

    STS tells which tags came in from the caller's session
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html), KMS which algorithm it
    used unasked.
    """
    if call.service == "sts" and call.operation == "AssumeRole":
        return _incoming_tags(call)
    if call.service == "kms" and call.operation in _WITH_DEFAULT_ALGORITHM:
        return {"encryptionAlgorithm": call.parameters.get("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")}
    return {}


def _incoming_tags(call: Call) -> dict[str, Any]:
    caller = call.principal
    if not isinstance(caller, RoleSession):
        return {}
    tags = {key: value for key, value in caller.tags.items() if key in caller.transitive_tags}
    return {"incomingTransitiveTags": tags} if tags else {}
