"""The audit, opened in somebody's session: trail, keys and log are read as that person may read them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit.log_file_trail import LogFileTrail
from service.audit.ports import AuditWorkspace
from service.audit.publications import Publications
from service.aws.public_keys import CloudTrailPublicKeys
from service.aws.service_log import CloudWatchServiceLog
from service.aws.trail_files import S3TrailFiles

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_logs import CloudWatchLogsClient

    from service.audit.ports import TrailIdentity
    from service.audit.records import Store
    from service.aws.personas import Personas
    from service.aws.s3_objects import Bucket
    from service.aws.workspaces import S3Stores
    from service.domain.access import Grant, Principal

# Readers whose publications are remembered; at about 4 MB each.
_READERS: Final = 8


class _Memories:
    """What each reader has learned of publications: never what another one was allowed to read."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str, Grant], Publications] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, principal: Principal, grant: Grant) -> Publications:
        """The reader's own."""
        with self._lock:
            known = self._of.setdefault((principal.subject, grant), Publications())
            self._of.move_to_end((principal.subject, grant))
            while len(self._of) > _READERS:
                self._of.popitem(last=False)
            return known


class PersonaAuditWorkspaces(msgspec.Struct, frozen=True):
    """``AuditWorkspaces`` in which everything is read in the reader's own session.

    ``bucket`` is the trail's; the clients ``cloudtrail`` and ``logs`` sign as whoever is acted for.
    """

    personas: Personas
    stores: S3Stores
    bucket: Bucket
    trail: TrailIdentity
    store: Store
    cloudtrail: CloudTrailClient
    logs: CloudWatchLogsClient
    log_group: str
    people_roles: frozenset[str] = frozenset()
    _memories: _Memories = msgspec.field(default_factory=_Memories)

    def open(self, principal: Principal, grant: Grant) -> AuditWorkspace:
        """See ``AuditWorkspaces.open``."""
        session = self.personas.session(principal, grant)
        files = S3TrailFiles(self.bucket, session, self.trail)
        return AuditWorkspace(
            principal=principal,
            grant=grant,
            objects=self.stores.objects(session),
            files=files,
            trail=LogFileTrail(files, self.store),
            keys=CloudTrailPublicKeys(self.cloudtrail, session),
            log=CloudWatchServiceLog(self.logs, session, self.log_group),
            role_prefix=self.store.role_prefix,
            people_roles=self.people_roles,
            publications=self._memories.of(principal, grant),
        )
