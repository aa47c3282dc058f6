"""Downloads: exactly what was published, only when it may be served."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from service.domain.models import Releases
from service.domain.versions import Verdict, VersionState
from service.errors import Forbidden, NotFound, Quarantined
from service.registry import aliases, downloads, keys, publishing
from service.registry.records import encode
from tests.fakes.in_memory import FakeObjectStore
from tests.people import APPROVER, COMPLIANCE, DEPLOYER
from tests.unit.registry.conftest import MODEL, NOW, entry, publish, upload, workspace

if TYPE_CHECKING:
    from tests.fakes.in_memory import InMemoryBucket


def decide(bucket: InMemoryBucket, version: int, state: VersionState, reason: str | None = None) -> None:
    """Let the verifier have decided."""
    verdict = Verdict(version, "", state, reason, "2026-03-01T12:00:00Z")
    FakeObjectStore(bucket).create(keys.verdict(MODEL, version), encode(verdict))


def test_an_available_version_is_fetched_as_published(bucket: InMemoryBucket) -> None:
    """All files, in the order published, with URLs to exactly their bytes."""
    publish(bucket, b"one", b"two")
    decide(bucket, 1, VersionState.AVAILABLE)
    _, found = downloads.download(workspace(bucket, COMPLIANCE), MODEL, "latest", None)
    assert [bucket.fetch(item.ticket.url) for item in found] == [b"one", b"two"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "still being verified"),
        (VersionState.REJECTED, "because"),
        (VersionState.QUARANTINED, "because"),
    ],
)
def test_what_is_not_available_is_not_served(
    bucket: InMemoryBucket, state: VersionState | None, told: str
) -> None:
    """Before the verdict, and after a bad one; the answer says which and why."""
    publish(bucket, b"one")
    if state:
        decide(bucket, 1, state, "because")
    with pytest.raises(Quarantined, match=told):
        downloads.download(workspace(bucket), MODEL, 1, None)


def test_unknown_paths_are_named(bucket: InMemoryBucket) -> None:
    """Every path that the version does not have."""
    publish(bucket, b"one")
    decide(bucket, 1, VersionState.AVAILABLE)
    with pytest.raises(NotFound) as caught:
        downloads.download(workspace(bucket), MODEL, 1, ["file-0.bin", "no", "nor this"])
    assert [(fault.location, fault.message) for fault in caught.value.errors] == [
        ("paths[1]", "no"),
        ("paths[2]", "nor this"),
    ]


def test_the_url_tells_the_audit_trail_which_version_was_read(bucket: InMemoryBucket) -> None:
    """Versions share blobs, so the signed disposition names model, version and path, in plain ASCII."""
    upload(bucket, b"one")
    odd = 'dir/naïve "quoted" 100%; x=y.bin'
    stores = workspace(bucket)
    publishing.publish(stores, MODEL, publishing.Draft((entry(b"one", odd),), "", {}), None, NOW)
    decide(bucket, 1, VersionState.AVAILABLE)
    _, (found,) = downloads.download(stores, MODEL, 1, None)
    disposition = found.ticket.url.rpartition("|")[2]
    assert disposition.isascii()
    source = disposition.rpartition('smas="')[2].removesuffix('"')
    assert unquote(source) == f"fraud/credit-risk/1/{odd}"
    assert "filename=\"na_ve _quoted_ 100_; x=y.bin\"; filename*=UTF-8''na%C3%AFve%20" in disposition


def test_deployers_fetch_only_what_a_protected_alias_points_to(bucket: InMemoryBucket) -> None:
    """Refused before the alias points there, told to wait until released, served after."""
    publish(bucket, b"one")
    publish(bucket, b"two")
    decide(bucket, 1, VersionState.AVAILABLE)
    decide(bucket, 2, VersionState.AVAILABLE)
    deployer = workspace(bucket, DEPLOYER)
    with pytest.raises(Forbidden):
        downloads.download(deployer, MODEL, 1, None)
    aliases.move(workspace(bucket, APPROVER), MODEL, "production", 1, None, NOW, protected=True)
    with pytest.raises(Quarantined, match="being released"):
        downloads.download(deployer, MODEL, "production", None)
    FakeObjectStore(bucket).create(keys.releases(MODEL), encode(Releases((1,), ())))
    assert downloads.download(deployer, MODEL, "production", None)[1]
    with pytest.raises(Forbidden):
        downloads.download(deployer, MODEL, 2, None)


def test_latest_is_the_newest_available_version(bucket: InMemoryBucket) -> None:
    """Newer ones that are verifying or rejected do not count; without any there is no latest."""
    for _ in range(14):
        publish(bucket, b"x")
    with pytest.raises(NotFound):
        downloads.download(workspace(bucket), MODEL, "latest", None)
    decide(bucket, 1, VersionState.AVAILABLE)
    for version in range(2, 14):
        decide(bucket, version, VersionState.REJECTED)
    found, _ = downloads.download(workspace(bucket), MODEL, "latest", None)
    assert found.manifest.version == 1
