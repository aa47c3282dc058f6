"""Role sessions in LocalStack: remembered when they begin, with the source identity that STS answers with."""
# LocalStack and moto are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from localstack.services.sts.provider import StsProvider
from moto.iam.models import iam_backends

from smas_emulator import seed

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call, Outcome
    from smas_emulator.gateway.sessions import RoleSessions


def answer_with_source_identity() -> None:
    """Let AssumeRole name the source identity in its answer, as AWS does."""
    original = StsProvider.assume_role

    @functools.wraps(original)
    def assume_role(provider: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(provider, context, *args, **kwargs)
        if kwargs.get("source_identity"):
            answer["SourceIdentity"] = kwargs["source_identity"]
        return answer

    StsProvider.assume_role = assume_role


def remember_session(sessions: RoleSessions, call: Call, outcome: Outcome) -> None:
    """Remember the session that a call to AssumeRole began; any other call is none of its business."""
    if (call.service, call.operation) != ("sts", "AssumeRole") or outcome.error_code is not None:
        return
    role_id = iam_backends[call.account][seed.PARTITION].get_role_by_arn(call.parameters["RoleArn"]).id
    sessions.begin(call.parameters, outcome.response, call.principal, role_id=role_id)
