"""IAM's decision about a call, and AWS's own error when it is refused."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smas_emulator.authorization.policy_texts import identity_policies, identity_policy, resource_policy
from smas_emulator.authorization.public_policies import is_public
from smas_emulator.authorization.refusals import denied, name_of, refusal
from smas_emulator.authorization.requirement import UnknownOperation
from smas_emulator.authorization.requirements import required
from smas_emulator.authorization.s3_requirements import deletion
from smas_emulator.authorization.sts_requirements import role_to_assume
from smas_emulator.authorization.sts_validation import validate_assume_role, validate_duration
from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.principals import (
    PARTITION,
    Anonymous,
    IamUser,
    RoleSession,
    Root,
    ServicePrincipal,
)
from smas_emulator.iam.evaluation import Request, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.authorization.ports import AccountFacts
    from smas_emulator.authorization.requirement import Requirement
    from smas_emulator.gateway.calls import Call
    from smas_emulator.gateway.principals import Principal
    from smas_emulator.iam.documents import Policy
    from smas_emulator.iam.evaluation import Decision

_log = logging.getLogger(__name__)
# A bucket's owner can never lock itself out
# (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html).
_NEVER_LOCKED = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})


@dataclass(frozen=True, slots=True)
class RefusedDeletion:
    """A key of `DeleteObjects` that may not be deleted: an `Error` entry of S3's answer."""

    key: str
    version_id: str | None
    code: str
    message: str


class Authorizer:
    """Decides whether a call may be made; keeps nothing, and may be used from many threads."""

    def __init__(self, account: AccountFacts) -> None:
        self._account = account

    def authorize(self, call: Call) -> None:
        """Return when the call may be served, else raise `AwsError` as AWS answers it.

        For `DeleteObjects` this asks for all keys at once: use `refused_deletions` to answer key by key.
        """
        if isinstance(call.principal, Anonymous):
            raise denied(call, "Access Denied")
        assuming = (call.service, call.operation) == ("sts", "AssumeRole")
        if assuming:
            self._check_assume_role(call)
        try:
            requirements = required(call, self._account)
        except UnknownOperation as unknown:
            _log.warning("%s", unknown.message)
            raise denied(call, unknown.message) from None
        for requirement in requirements:
            self._require(call, requirement)
        if assuming:
            role = role_to_assume(call, self._account)
            if role is not None:
                validate_duration(call, role)
        elif (call.service, call.operation) == ("s3", "PutBucketPolicy"):
            self._refuse_public_policy(call)

    def refused_deletions(self, call: Call) -> tuple[RefusedDeletion, ...]:
        """The keys of a `DeleteObjects` that the caller may not delete, in the order of the request.

        The others are to be served; S3 answers 200 with an `Error` entry for each of these
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
        """
        refused = []
        for each in (call.parameters.get("Delete") or {}).get("Objects") or ():
            key, version = each.get("Key", ""), each.get("VersionId")
            try:
                for requirement in deletion(call, self._account, key, version, each.get("ETag")):
                    self._require(call, requirement)
            except AwsError as error:
                refused.append(RefusedDeletion(key, version, error.code, error.message))
        return tuple(refused)

    def may_service(
        self,
        service_name: str,
        action: str,
        resource_arn: str,
        context: Mapping[str, str | tuple[str, ...]],
        policy_text: str | None,
    ) -> bool:
        """Whether the policy of a thing allows something to a service of AWS (`cloudtrail.amazonaws.com`).

        `context` has the condition keys the service sends, such as `aws:SourceArn` and `aws:SourceAccount`.
        """
        if policy_text is None:
            return False
        service = ServicePrincipal(service_name)
        request = Request(action, resource_arn, {"aws:SecureTransport": "true", **context})
        return decide(request, service, resource=resource_policy(policy_text)).allowed

    def _check_assume_role(self, call: Call) -> None:
        """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: root assumes no role."""
        if isinstance(call.principal, Root):
            raise denied(call, "Roles may not be assumed by root accounts.")
        validate_assume_role(call)

    def _require(self, call: Call, requirement: Requirement) -> None:
        principal = call.principal
        if (
            isinstance(principal, Root)
            and principal.account == requirement.owner
            and requirement.request.action in _NEVER_LOCKED
        ):
            return
        decision = self._decide(principal, requirement)
        if not decision.allowed:
            raise refusal(call, requirement, decision)

    def _decide(self, principal: Principal, requirement: Requirement) -> Decision:
        identity = self._identity_policies(principal)
        session = None
        if isinstance(principal, RoleSession) and principal.policy is not None:
            session = identity_policy(principal.policy)
        text = requirement.resource_policy
        resource = None if text is None else resource_policy(text)
        request, delegated = requirement.request, requirement.delegation_required
        account = getattr(principal, "account", requirement.owner)
        if account != requirement.owner:
            # Across accounts both sides have to agree
            # (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html).
            own = decide(request, principal, identity=identity, session=session)
            if not own.allowed:
                return own
            delegated = True
        return decide(
            request,
            principal,
            identity=identity,
            session=session,
            resource=resource,
            delegation_required=delegated,
        )

    def _identity_policies(self, principal: Principal) -> tuple[Policy, ...]:
        match principal:
            case RoleSession():
                return identity_policies(
                    tuple(self._account.role_policies(principal.account, principal.role_name))
                )
            case IamUser():
                return identity_policies(
                    tuple(self._account.user_policies(principal.account, principal.name))
                )
        return ()  # IAM limits root and services by no policy of theirs

    def _refuse_public_policy(self, call: Call) -> None:
        """S3 Block Public Access, whoever asks, in S3's own words."""
        name, policy = call.parameters["Bucket"], call.parameters.get("Policy")
        bucket = self._account.bucket(name)
        if bucket is None or not bucket.block_public_policy or not isinstance(policy, str):
            return
        if is_public(policy):
            message = (
                f"User: {name_of(call.principal)} is not authorized to perform: s3:PutBucketPolicy "
                f'on resource: "arn:{PARTITION}:s3:::{name}" because public policies are blocked by '
                "the BlockPublicPolicy block public access setting."
            )
            raise denied(call, message)
