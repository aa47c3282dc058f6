"""The one package that imports LocalStack and moto: what we add hangs on their hooks here and nowhere else.

LocalStack loads the entry points that `pyproject.toml` names: a provider for each service it lacks,
`on_infra_start`, which runs before the first request and is the place for what watches or refuses calls, and
`on_infra_shutdown`.
"""
# LocalStack and moto are not installed where types are checked, and publish none.
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator"

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from localstack.aws import handlers
from localstack.runtime import hooks

from smas_emulator.authorization.authorizer import Authorizer
from smas_emulator.gateway.sessions import RoleSessions
from smas_emulator.localstack_binding.account_facts import LocalStackAccount
from smas_emulator.localstack_binding.alarm_tags import keep_tags_of_new_alarms
from smas_emulator.localstack_binding.cloudtrail import CloudTrail, cloudtrail_provider, run_cloudtrail
from smas_emulator.localstack_binding.cognito import (
    cognito_idp,
    make_cognito_keep_its_own_keys,
    serve_cognito_pages,
)
from smas_emulator.localstack_binding.credentials import AccessKeys
from smas_emulator.localstack_binding.deletions import answer_key_by_key
from smas_emulator.localstack_binding.function_sessions import serve_function_sessions
from smas_emulator.localstack_binding.guard import Guard
from smas_emulator.localstack_binding.kms_keys import look_keys_up_directly
from smas_emulator.localstack_binding.listening import (
    keep_no_access_log,
    let_nobody_pass_as_localstack,
    listen_where_told,
)
from smas_emulator.localstack_binding.log_groups import evaluate_filter_patterns
from smas_emulator.localstack_binding.multipart_uploads import work_together
from smas_emulator.localstack_binding.presigned import skip_second_check
from smas_emulator.localstack_binding.queue_attributes import take_away_what_is_set_to_nothing
from smas_emulator.localstack_binding.replication import serve_replication
from smas_emulator.localstack_binding.role_sessions import answer_with_source_identity, remember_session
from smas_emulator.trail_settings import TrailSettings

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call, Outcome

__all__ = ["cloudtrail_provider", "cognito_idp", "on_infra_shutdown", "on_infra_start"]

LOG = logging.getLogger(__name__)
# Set for an AWS that Terraform provisions, where functions of Lambda are processes.
FUNCTIONS_TOKEN = "SMAS_FUNCTIONS_TOKEN"  # noqa: S105 - the name of a variable
_FIRST = 100  # hooks run from the highest priority down
_running: list[tuple[Guard, CloudTrail]] = []


@hooks.on_infra_start()
def on_infra_start() -> None:
    """Called once by LocalStack, before it listens."""
    listen_where_told()
    let_nobody_pass_as_localstack()
    keep_no_access_log()
    make_cognito_keep_its_own_keys()
    serve_cognito_pages()
    skip_second_check()
    look_keys_up_directly()
    work_together()
    answer_with_source_identity()
    answer_key_by_key()
    evaluate_filter_patterns()
    keep_tags_of_new_alarms()
    take_away_what_is_set_to_nothing()
    serve_replication()

    sessions, account = RoleSessions(), LocalStackAccount()
    authorizer = Authorizer(account)
    cloudtrail = CloudTrail(account, authorizer, TrailSettings.read(os.environ))

    def ended(call: Call, outcome: Outcome) -> None:
        remember_session(sessions, call, outcome)
        cloudtrail.report(call, outcome)

    guard = Guard(AccessKeys(sessions), authorizer, ended, cloudtrail.recorder.miss)
    handlers.preprocess_request.append(guard.read_signature)
    handlers.serve_custom_service_request_handlers.append(guard.decide)
    handlers.run_custom_response_handlers.append(guard.report)
    run_cloudtrail(cloudtrail)
    if token := os.environ.get(FUNCTIONS_TOKEN):
        serve_function_sessions(sessions, account, authorizer, token)
    _running.append((guard, cloudtrail))


@hooks.on_infra_shutdown(priority=_FIRST)
def on_infra_shutdown() -> None:
    """Called once by LocalStack, while its services still answer: deliver everything that was recorded."""
    for guard, cloudtrail in _running:
        if not guard.close():
            LOG.warning("some calls had not ended when the local AWS stopped; they are not in the trail")
        if not cloudtrail.recorder.stop():
            LOG.error("not all that was recorded could be delivered: %s", cloudtrail.recorder.report())
