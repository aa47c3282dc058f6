"""CloudTrail in LocalStack: its API, and what runs behind it."""
# LocalStack is not installed where types are checked, and publishes none.
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator, no-any-return"

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.http import Request, Response
from localstack.services.edge import ROUTER
from localstack.services.plugins import Service, aws_provider

from smas_emulator.cloudtrail.archive import ArchivedBuckets, archive_public_key
from smas_emulator.cloudtrail.control_plane import ControlPlane
from smas_emulator.cloudtrail.delivery import Delivery
from smas_emulator.cloudtrail.digests import SigningKeys
from smas_emulator.cloudtrail.event_store import EventStore
from smas_emulator.cloudtrail.recorder import Recorder
from smas_emulator.cloudtrail.records import build_record, is_recorded, secondary_records
from smas_emulator.cloudtrail.statuses import Statuses
from smas_emulator.gateway.errors import AwsError
from smas_emulator.localstack_binding.trail_targets import Keys, LogGroups, Topics, TrailBuckets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from smas_emulator.authorization.authorizer import Authorizer
    from smas_emulator.authorization.ports import AccountFacts
    from smas_emulator.gateway.calls import Call, Outcome
    from smas_emulator.trail_settings import TrailSettings


class CloudTrail:
    """Everything of it that runs: what the guard reports goes in, files come out."""

    def __init__(self, account: AccountFacts, authorizer: Authorizer, settings: TrailSettings) -> None:
        buckets = ArchivedBuckets(TrailBuckets(account, authorizer), settings.archive)
        log_groups, topics, keys = LogGroups(), Topics(account), Keys(account)
        signing = SigningKeys(_now, partial(archive_public_key, settings.archive))
        status = Statuses()
        self._folder = tempfile.TemporaryDirectory(prefix="cloudtrail-")  # gone with the process
        store = EventStore(Path(self._folder.name) / "events.sqlite")
        self.recorder: Recorder[tuple[Call, Outcome]] = Recorder(
            _events,
            Delivery(buckets, log_groups, topics, signing, status, _now),
            store,
            log_seconds=settings.log_seconds,
            digest_seconds=settings.digest_seconds,
        )
        self.control_plane = ControlPlane(
            buckets, keys, log_groups, topics, signing, store, status, self.recorder.use, _now
        )

    def report(self, call: Call, outcome: Outcome) -> None:
        """Record a call that ended."""
        if is_recorded(call):
            self.recorder.submit((call, outcome))


# Made by `on_infra_start`, before the first call comes in: LocalStack loads the provider by its name alone.
_running: list[CloudTrail] = []


def run_cloudtrail(cloudtrail: CloudTrail) -> None:
    """Start it, and serve what it counted at `/_smas/cloudtrail`; no bucket can have such a name."""
    _running[:] = [cloudtrail]
    cloudtrail.recorder.start()
    ROUTER.add("/_smas/cloudtrail", _serve_report, methods=["GET"])
    ROUTER.add("/_smas/cloudtrail/flush", _serve_flush, methods=["POST"])


@aws_provider(api="cloudtrail")
def cloudtrail_provider() -> Service:
    """CloudTrail's API, which LocalStack's free edition lacks."""
    model = load_service("cloudtrail")

    def answer(context: Any, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            aware = {name: _aware(value) for name, value in request.items()}
            return _running[0].control_plane.answer(
                context.operation.name, aware, context.account_id, context.region
            )
        except AwsError as error:
            raise CommonServiceException(error.code, error.message, error.status, sender_fault=True) from None

    return Service("cloudtrail", skeleton=Skeleton(model, dict.fromkeys(model.operation_names, answer)))


def _events(item: tuple[Call, Outcome]) -> Iterable[Mapping[str, Any]]:
    return (build_record(*item), *secondary_records(*item))


def _serve_report(_request: Request) -> Response:
    return _json(200, _running[0].recorder.report())


def _serve_flush(request: Request) -> Response:
    """Deliver all that was recorded so far, with `?digest=true` also a digest: 503 when that fails."""
    delivered = _running[0].recorder.flush(digest=request.args.get("digest") == "true")
    return _json(200 if delivered else 503, _running[0].recorder.report())


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status, {"Content-Type": "application/json"})


def _aware(value: Any) -> Any:
    """A time with its zone: LocalStack's parser leaves it out."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _now() -> datetime:
    return datetime.now(UTC)
