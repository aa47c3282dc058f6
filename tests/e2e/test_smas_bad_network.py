"""The real S3 behind a bad network: presigned URLs keep their signatures, and every fault is got over."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.client.faults.proxy import Fault, Kind, Proxy, What
from tests.e2e.client import digest_of
from tests.e2e.smas_command import Smas, noise
from tests.local_aws import REPOSITORY, LocalStack, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB: Final = 1 << 20
PROFILES: Final = {"service": "smas-service", "worker": "smas-worker"}


@dataclass(frozen=True)
class BadNetwork:
    """A service of our own whose presigned URLs lead through ``proxy``."""

    url: str
    proxy: Proxy
    aws: LocalStack

    def smas(self, home: Path) -> Smas:
        """The command, as a data scientist."""
        token = self.aws.token("ds-fraud")
        return Smas(home, {"SMAS_STORE": self.url, "SMAS_TOKEN": token})


@contextmanager
def process(aws: LocalStack, role: str, *arguments: str, **variables: str) -> Iterator[None]:
    """The service or the worker; it never dies by itself."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.dying", role, "0", *arguments],
        cwd=REPOSITORY,
        env={**aws.process_environment(PROFILES[role]), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout
    try:
        assert running.stdout.readline() == "ready\n"
        yield
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


@pytest.fixture(scope="module")
def network(local_aws: LocalStack) -> Iterator[BadNetwork]:
    """Service, worker and proxy over the session's local AWS."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as running:
        proxy = running.enter_context(Proxy(urlsplit(local_aws.endpoint).netloc))
        places = {"SMAS_S3_PUBLIC_URL": proxy.address, "SMAS_PUBLIC_URL": url}
        running.enter_context(process(local_aws, "service", port, **places))
        running.enter_context(process(local_aws, "worker"))
        yield BadNetwork(url, proxy, local_aws)


@pytest.mark.parametrize(
    "faults",
    [
        (What.RESET, What.RESET_IN_BODY, What.LOST_ANSWER),
        (What.ERROR, What.BUSY_FOR_A_SECOND, What.BUSY),
        (What.EXPIRED, What.NOTHING, What.EXPIRED),
        (What.TRUNCATED, What.SLOW, What.LOST_ANSWER),
    ],
)
def test_a_large_push_gets_over_whatever_s3_does(
    network: BadNetwork, tmp_path: Path, faults: tuple[What, ...]
) -> None:
    """In parts and whole, each fault in the middle: one version, verified by S3's own bytes."""
    model = f"fraud/e2e-{uuid4().hex[:10]}"
    sizes = {"large.bin": 70, "small.bin": 1}
    digests = {path: digest_of(noise(tmp_path / "out" / path, size)) for path, size in sizes.items()}
    network.proxy.schedule([Fault(what, Kind.PUT) for what in faults])
    pushed = network.smas(tmp_path).json("push", tmp_path / "out", model)
    assert network.proxy.left() == []
    version = pushed["version"]
    assert (version["version"], version["state"]) == (1, "available")
    assert {file["path"]: file["sha256"] for file in version["files"]} == digests
    assert pushed["sent_bytes"] == 71 * MIB


@pytest.fixture(scope="module")
def published(network: BadNetwork, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A model with one file of five ranges, and the file's digest."""
    folder, model = tmp_path_factory.mktemp("published"), f"fraud/e2e-{uuid4().hex[:10]}"
    weights = noise(folder / "weights.bin", 33)
    network.proxy.schedule()
    network.smas(folder).text("push", weights, model)
    return model, digest_of(weights)


@pytest.mark.parametrize(
    "faults",
    [
        (What.RESET, What.LOST_ANSWER, What.TRUNCATED),
        (What.EXPIRED, What.NOTHING, What.EXPIRED),
        (What.WHOLE, What.SLOW, What.BUSY_FOR_A_SECOND),
        (What.NOTHING, What.WRONG_BYTES),
    ],
)
def test_a_pull_gets_over_whatever_s3_does(
    network: BadNetwork, published: tuple[str, str], tmp_path: Path, faults: tuple[What, ...]
) -> None:
    """Each fault in the middle of ranges: the file is what was published."""
    model, digest = published
    network.proxy.schedule([Fault(what, Kind.GET) for what in faults])
    network.smas(tmp_path).text("pull", model, tmp_path / "in")
    assert network.proxy.left() == []
    assert digest_of(tmp_path / "in" / "weights.bin") == digest


def test_a_pull_that_s3_breaks_off_for_good_is_continued(
    network: BadNetwork, published: tuple[str, str], tmp_path: Path
) -> None:
    """Exit code 9 and nothing under its name; the next pull fetches the other ranges alone."""
    model, digest = published
    smas, pull = network.smas(tmp_path), ("pull", model, tmp_path / "in", "--connections", "1")
    network.proxy.schedule([Fault(What.TRUNCATED)] + [Fault(What.RESET)] * 100)
    done = smas.run(*pull, "--retries", "1")
    assert (done.returncode, done.stdout) == (9, "")
    assert [path.name for path in (tmp_path / "in").iterdir()] == [".smas"]
    journal = next(smas.cache.glob("partial/*.ranges")).read_text(encoding="ascii").split()
    held = (len(journal) - 2) * 8 * MIB
    assert held
    network.proxy.schedule()
    assert smas.json(*pull)["fetched_bytes"] == 33 * MIB - held
    assert sum(seen.answered for seen in network.proxy.seen(Kind.GET)) == 33 * MIB - held
    assert digest_of(tmp_path / "in" / "weights.bin") == digest
