"""What every call passes in LocalStack's gateway: who is it, may they, and what came of it.

Three handlers of one chain: the first reads the signature before anything else changes the request, the
second decides once the request is parsed, the third hands the ended call to the recorder. Of a call that
fails authentication nothing is recorded, as in AWS. Before an orderly stop the guard is closed, so that what
is recorded then is all there will be.
"""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localstack.aws.api import CommonServiceException

from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.faults import fault
from smas_emulator.gateway.principals import Anonymous
from smas_emulator.gateway.signatures import authenticate
from smas_emulator.localstack_binding import calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from smas_emulator.authorization.authorizer import Authorizer
    from smas_emulator.gateway.calls import Call, HttpRequest, Outcome
    from smas_emulator.gateway.credentials import CredentialStore
    from smas_emulator.gateway.signatures import Authenticated

LOG = logging.getLogger(__name__)
CLOSING_SECONDS = 10.0
# LocalStack's ways around its services, for instance to the messages of every queue.
UNSIGNED_SHORTCUTS = "_aws/"
# Services that speak JSON name the failures of a signature differently.
_JSON_CODES = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "ExpiredToken": "ExpiredTokenException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
}


@dataclass(slots=True)
class _Passage:
    """What is known of one request on its way through the chain."""

    http: HttpRequest
    authenticated: Authenticated | None = None
    failure: AwsError | None = None
    call: Call | None = None


class Guard:
    """Authenticates, authorises and reports every call that is not LocalStack's own."""

    def __init__(
        self,
        store: CredentialStore,
        authorizer: Authorizer,
        ended: Callable[[Call, Outcome], None],
        missed: Callable[[], None],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._ended = ended
        self._missed = missed
        self._open = True
        self._running = 0
        self._changed = threading.Condition()

    def close(self) -> bool:
        """Let no more calls in, and wait for those inside; whether all of them ended in time."""
        with self._changed:
            self._open = False
            return self._changed.wait_for(lambda: self._running == 0, CLOSING_SECONDS)

    def read_signature(self, chain: Any, context: Any, _response: Any) -> None:
        """Check the signature; what is wrong with it is told once the service that was meant is known."""
        if context.is_internal_call:
            return
        if context.request.path.lstrip("/").startswith(UNSIGNED_SHORTCUTS):
            chain.respond(403, {"message": "This shows what IAM would refuse; call the service itself."})
            return
        passage = _Passage(calls.http_request(context.request))
        try:
            passage.authenticated = authenticate(
                passage.http, context.request.get_data, self._store, datetime.now(UTC)
            )
        except AwsError as error:
            passage.failure = error
        context.smas_passage = passage

    def decide(self, _chain: Any, context: Any, _response: Any) -> None:
        """Refuse what is not signed, or not allowed."""
        if context.is_internal_call or context.service is None or context.operation is None:
            return
        passage: _Passage = context.smas_passage
        if passage.failure is not None:
            raise _refusal(passage.failure, context)
        if passage.authenticated is None:
            if context.operation.auth_type != "none":
                raise _refusal(_unsigned(context), context)
            self._let_in(passage, calls.call(context, passage.http, Anonymous(), None))
            return
        signed = passage.authenticated
        call = calls.call(context, passage.http, signed.credential.principal, signed.signature)
        self._let_in(passage, call)
        if (call.service, call.operation) == ("s3", "DeleteObjects"):
            context.smas_refused_deletions = self._authorizer.refused_deletions(call)
            return
        try:
            self._authorizer.authorize(call)
        except AwsError as error:
            raise _refusal(error, context) from None

    def report(self, _chain: Any, context: Any, response: Any) -> None:
        """Tell how a call ended that was authenticated, whether it was served, refused or failed."""
        passage: _Passage | None = context.get("smas_passage")
        if passage is None or passage.call is None:
            return
        try:
            self._ended(passage.call, calls.outcome(context, response, passage.http))
        except Exception as error:  # noqa: BLE001
            # LocalStack would go on with a warning; what is not recorded must be counted.
            self._missed()
            LOG.error("a call to %s was not recorded: %s", passage.call.service, fault(error))  # noqa: TRY400
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _let_in(self, passage: _Passage, call: Call) -> None:
        with self._changed:
            if not self._open:
                raise CommonServiceException("ServiceUnavailable", "The local AWS is stopping.", 503)
            self._running += 1
        passage.call = call


def _unsigned(context: Any) -> AwsError:
    if context.service.service_name == "s3":
        return AwsError("AccessDenied", "Access Denied", 403)
    return AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)


def _refusal(error: AwsError, context: Any) -> CommonServiceException:
    code, status = error.code, error.status
    if context.service.protocol == "json" and code in _JSON_CODES:
        code, status = _JSON_CODES[code], 400
    exception = CommonServiceException(code, error.message, status, sender_fault=status < 500)  # noqa: PLR2004
    context.service_exception = exception  # a refusal is an outcome like any other: it is recorded
    return exception
