"""Clients in a bad network: the SDK in this process, in a hurry, and what is on the disk afterwards."""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from smas import Store
from smas.errors import SmasError
from smas.retries import RetryPolicy
from smas.transfer.partial_file import RANGE_BYTES
from smas.transport import READ_SECONDS, Answer, Body, Urllib3Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.client.faults.upstream import Upstream

MODEL: Final = "fraud/risk"
# Three ranges; small files, an empty one, twins.
CONTENTS: Final[Mapping[str, bytes]] = {
    "weights.bin": random.Random(7).randbytes(2 * RANGE_BYTES + 12_345),
    "shards/one.bin": random.Random(8).randbytes(300_000),
    "shards/two.bin": random.Random(8).randbytes(300_000),
    "config.json": b"{}",
    "empty": b"",
}
HURRY: Final = RetryPolicy(attempts=3, first_seconds=0.001, longest_seconds=0.002)


@dataclass
class Impatient:
    """A transport that gives up on silence much sooner than its users want."""

    inner: Urllib3Transport
    seconds: float

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> Answer:
        """See ``Transport.send``."""
        return self.inner.send(method, url, headers, body, read_seconds=min(read_seconds, self.seconds))


def impatient_store(
    upstream: Upstream, address: str, cache: Path, connections: int = 2, seconds: float = 2.0
) -> Store:
    """A store that tries three times at once, and waits so long for any byte."""
    transport = Impatient(Urllib3Transport(connections + 1), seconds)
    return Store(
        address,
        token=upstream.token(),
        cache=cache,
        connections=connections,
        retries=HURRY,
        transport=transport,
    )


def patient_store(upstream: Upstream, address: str, cache: Path) -> Store:
    """A store as everybody has it."""
    return Store(address, token=upstream.token(), cache=cache, connections=2)


def exit_code_of(run: Callable[[], object]) -> int:
    """0, or the exit code of the error it ended with; any other exception is a defect."""
    try:
        run()
    except SmasError as error:
        return error.exit_code
    return 0


def write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Make a folder of those files."""
    for path, content in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file of a pulled folder but the pull's own record."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".smas" not in path.relative_to(folder).parts
    }


def blobs_in(cache: Path) -> dict[str, bytes]:
    """Every complete blob below a cache (or a pull's own folder), by the digest it is named for."""
    return {path.name: path.read_bytes() for path in cache.glob("blobs/??/" + "?" * 64)}


def left_in(folder: Path) -> set[str]:
    """What a pull left beside the files: its record and its lock, once it is over."""
    return {path.name for path in (folder / ".smas").rglob("*")}


def scratch_in(cache: Path) -> list[Path]:
    """Partial downloads, their journals, and temporary names in a cache."""
    endings = {".part", ".ranges"}
    return [path for path in cache.rglob("*") if path.suffix in endings or path.name.startswith(".")]


def missing_bytes(folder: Path, cache: Path) -> int:
    """What a pull of ``CONTENTS`` still has to fetch: neither placed, nor cached, nor in a complete range."""
    here = {sha256(content).hexdigest() for content in files_in(folder).values()} | set(blobs_in(cache))
    wanted = {sha256(content).hexdigest(): len(content) for content in CONTENTS.values()}
    return sum(
        size - _held_in_ranges(cache / "partial" / f"{digest}.ranges", size)
        for digest, size in wanted.items()
        if digest not in here
    )


def _held_in_ranges(journal: Path, size: int) -> int:
    if not journal.exists():
        return 0
    numbers = {int(line) for line in journal.read_text(encoding="ascii").splitlines()[1:]}
    return sum(min(size, (number + 1) * RANGE_BYTES) - number * RANGE_BYTES for number in numbers)
