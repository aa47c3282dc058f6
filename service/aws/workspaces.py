"""The stores, opened in somebody's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from service.aws.s3_blobs import S3BlobStore
from service.aws.s3_objects import Bucket, S3ObjectStore
from service.ports import Workspace

if TYPE_CHECKING:
    from service.aws.personas import Personas, PersonaSession
    from service.aws.presign import Presigner
    from service.domain.access import Grant, Principal


class S3Stores(msgspec.Struct, frozen=True):
    """Builds both stores for a session; they are light, so one is made for every request."""

    bucket: Bucket
    presigner: Presigner
    url_seconds: int

    def objects(self, session: PersonaSession) -> S3ObjectStore:
        """Records as that session sees them."""
        return S3ObjectStore(self.bucket, session)

    def blobs(self, session: PersonaSession) -> S3BlobStore:
        """Bytes as that session sees them."""
        return S3BlobStore(self.bucket, session, self.presigner, self.url_seconds)


class PersonaWorkspaces(msgspec.Struct, frozen=True):
    """``Workspaces`` in which everything is done in the caller's own session."""

    personas: Personas
    stores: S3Stores

    def open(self, principal: Principal, grant: Grant) -> Workspace:
        """See ``Workspaces.open``."""
        session = self.personas.session(principal, grant)
        return Workspace(principal, grant, self.stores.objects(session), self.stores.blobs(session))
