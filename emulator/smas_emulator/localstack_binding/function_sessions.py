"""Sessions of roles that Lambda assumes for its functions, for processes that stand in for functions here.

Only where a start names a token (`programs.emulator_command`), and only for who has it. The role's own trust
decides, as it does for Lambda.
"""
# LocalStack is not installed where types are checked, and publishes none.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from localstack.aws.connect import connect_to
from localstack.http import Request, Response
from localstack.services.edge import ROUTER

from smas_emulator import seed
from smas_emulator.function_session import PATH
from smas_emulator.gateway.principals import ServicePrincipal

if TYPE_CHECKING:
    from smas_emulator.authorization.authorizer import Authorizer
    from smas_emulator.authorization.ports import AccountFacts
    from smas_emulator.gateway.sessions import RoleSessions

LAMBDA = "lambda.amazonaws.com"


def serve_function_sessions(
    sessions: RoleSessions, account: AccountFacts, authorizer: Authorizer, token: str
) -> None:
    """Give out sessions at `/_smas/functions/<role>`; no bucket can have such a name."""

    def answer(request: Request, role: str) -> Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return _answer(403, {"message": "This is for the processes of the local stack."})
        facts = account.role(seed.ACCOUNT, role)
        source = {"aws:SourceAccount": seed.ACCOUNT}
        if facts is None or not authorizer.may_service(
            LAMBDA, "sts:AssumeRole", facts.arn, source, facts.trust
        ):
            return _answer(403, {"message": f"{LAMBDA} may not assume the role {role}."})
        sts = connect_to(aws_access_key_id=seed.ACCOUNT, region_name=seed.REGION).sts
        asked = {"RoleArn": facts.arn, "RoleSessionName": role}
        given_out = sts.assume_role(**asked)
        sessions.begin(asked, given_out, ServicePrincipal(LAMBDA), role_id=facts.id)
        keys = given_out["Credentials"]
        return _answer(
            200,
            {
                "Version": 1,
                "AccessKeyId": keys["AccessKeyId"],
                "SecretAccessKey": keys["SecretAccessKey"],
                "SessionToken": keys["SessionToken"],
                "Expiration": keys["Expiration"].isoformat(),
            },
        )

    ROUTER.add(f"{PATH}/<role>", answer, methods=["POST"])


def _answer(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, {"Content-Type": "application/json"})
