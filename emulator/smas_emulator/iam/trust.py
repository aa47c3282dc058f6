"""Whom a role trusts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html for `sts:TagSession` and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html for
`sts:SetSourceIdentity`: each needs leave of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator.iam.context import Context
from smas_emulator.iam.evaluation import RESOURCE, Decision, Request, consulted
from smas_emulator.iam.named_principals import Named
from smas_emulator.iam.principal_keys import principal_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smas_emulator.gateway.principals import Principal
    from smas_emulator.iam.documents import Policy


def may_assume(
    trust: Policy,
    principal: Principal,
    actions: Iterable[str],
    context: Mapping[str, str | tuple[str, ...]],
) -> Decision:
    """Whether the role's trust policy lets `principal` do every one of `actions`; none are too few.

    `context` has the keys of the request: `sts:SourceIdentity`, `sts:RoleSessionName`, `sts:ExternalId`,
    `aws:RequestTag/…`, `aws:TagKeys`. A trust policy that names only the caller's account leaves the rest to
    the caller's own policies, which are not asked here: `decide` with `delegation_required` asks both.
    """
    keys = Context(context, lambda: principal_context(principal))
    refused = Decision(allowed=False, policy=RESOURCE)
    trusted = []
    for action in actions:
        denying, named = consulted(trust, Request(action, "*", context), principal, keys)
        if denying is not None:
            return Decision(allowed=False, explicit=True, policy=RESOURCE, sid=denying.sid)
        trusted.append(named is not Named.NOT)
    return Decision(allowed=True) if trusted and all(trusted) else refused
