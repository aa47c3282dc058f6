"""The permissions that a call to KMS itself needs.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator.authorization.global_keys import Context, global_keys, request_tags, tag_keys
from smas_emulator.authorization.requirement import Requirement
from smas_emulator.gateway.principals import PARTITION
from smas_emulator.iam.evaluation import Request

if TYPE_CHECKING:
    from smas_emulator.authorization.ports import AccountFacts
    from smas_emulator.gateway.calls import Call

_ALIAS = "alias/"
_OF_ALIASES = frozenset({"CreateAlias", "DeleteAlias", "UpdateAlias"})


def kms_requirements(call: Call, facts: AccountFacts) -> tuple[Requirement, ...]:
    """What IAM must allow: the key's own policy has a say in whatever is about a key."""
    parameters, operation = call.parameters, call.operation
    if operation == "ReEncrypt":
        source = parameters.get("SourceKeyId") or _key_of(parameters.get("CiphertextBlob"), facts)
        return (
            _on_key(call, facts, "kms:ReEncryptFrom", source, "SourceEncryptionContext"),
            _on_key(
                call,
                facts,
                "kms:ReEncryptTo",
                parameters.get("DestinationKeyId"),
                "DestinationEncryptionContext",
            ),
        )
    if operation in _OF_ALIASES:
        return _on_alias(call, facts)
    key_id = parameters.get("KeyId") or parameters.get("TargetKeyId")
    if key_id is None and operation == "Decrypt":
        key_id = _key_of(parameters.get("CiphertextBlob"), facts)
    return (_on_key(call, facts, f"kms:{operation}", key_id, "EncryptionContext"),)


def _key_of(ciphertext: bytes | None, facts: AccountFacts) -> str | None:
    """Decrypt need not name a key: the ciphertext does."""
    return None if ciphertext is None else facts.ciphertext_key(bytes(ciphertext))


def _on_alias(call: Call, facts: AccountFacts) -> tuple[Requirement, ...]:
    """Changing an alias needs permission on it, and on every key it pointed or will point to."""
    name, action = str(call.parameters.get("AliasName", "")), f"kms:{call.operation}"
    arn = f"arn:{PARTITION}:kms:{call.region}:{call.account}:{name}"
    found = [Requirement(Request(action, arn, global_keys(call, call.account)), call.account)]
    keys = [call.parameters.get("TargetKeyId")]
    if call.operation != "CreateAlias":
        keys.append(name)
    found += [
        _on_key(call, facts, action, key, "EncryptionContext")
        for key in keys
        if key is not None and facts.key(key) is not None
    ]
    return tuple(found)


def _on_key(
    call: Call, facts: AccountFacts, action: str, key_id: str | None, encryption_context: str
) -> Requirement:
    context: Context = {
        **global_keys(call, call.account),
        **tag_keys(request_tags(call.parameters)),
        "kms:CallerAccount": getattr(call.principal, "account", ""),
    }
    pairs = call.parameters.get(encryption_context) or {}
    if pairs:
        context["kms:EncryptionContextKeys"] = tuple(pairs)
        context.update({f"kms:EncryptionContext:{name}": value for name, value in pairs.items()})
    if key_id is None:
        return Requirement(Request(action, "*", context), call.account)
    if _ALIAS in key_id:
        context["kms:RequestAlias"] = key_id[key_id.index(_ALIAS) :]
    key = facts.key(key_id)
    if key is None:  # KMS answers NotFoundException to whoever may ask
        arn = (
            key_id
            if key_id.startswith("arn:")
            else f"arn:{PARTITION}:kms:{call.region}:{call.account}:{key_id}"
        )
        return Requirement(Request(action, arn, context), call.account)
    owner = key.arn.split(":")[4]
    context["aws:ResourceAccount"] = owner
    return Requirement(Request(action, key.arn, context), owner, key.policy, delegation_required=True)
