"""The real command as a process in a bad network: its exit code and what is on the disk agree."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, event, given, settings

from tests.client.faults.clients import CONTENTS, MODEL, files_in, left_in, scratch_in, write
from tests.client.faults.proxy import Fault, Kind, Proxy, What
from tests.client.faults.schedules import schedules
from tests.client.faults.upstream import Upstream, upstream
from tests.e2e.smas_command import Smas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

pytestmark = pytest.mark.enable_socket
# Nobody waits a minute in a test; the SDK's tests stall.
STALLS = frozenset({What.STALL, What.STALL_IN_BODY})
# The command pauses as it does for people: few examples, and no shrinking.
few = settings(max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@pytest.fixture(scope="module")
def running() -> Iterator[Upstream]:
    """A store, emptied by each example."""
    with upstream() as started:
        yield started


def command(running: Upstream, proxy: Proxy, home: Path) -> Smas:
    """The command, with a token for the store behind the proxy."""
    return Smas(home, {"SMAS_STORE": proxy.address, "SMAS_TOKEN": running.token()})


def agreed(done: CompletedProcess[str]) -> int:
    """The exit code, which the one JSON line on stderr names too, or nothing is said."""
    event(f"exit code {done.returncode}")
    assert done.returncode in {0, 4, 9, 10}, done.stderr
    if done.returncode:
        assert json.loads(done.stderr)["error"]["exit_code"] == done.returncode
        assert done.stdout == ""
    else:
        assert done.stderr == ""
        assert json.loads(done.stdout)["version"]["state"] == "available"
    return done.returncode


@given(
    pushing=schedules(Kind.STORE, Kind.PUT, without=STALLS, max_size=6),
    pulling=schedules(Kind.STORE, Kind.GET, without=STALLS, max_size=6),
)
@few
def test_a_push_and_a_pull_say_what_they_did(
    running: Upstream, pushing: list[Fault], pulling: list[Fault]
) -> None:
    """0 and identical bytes, or an error and nothing wrong; without faults the same commands then succeed."""
    running.forget()
    with TemporaryDirectory() as scratch, Proxy(running.place, pushing) as proxy:
        out, folder = Path(scratch) / "out", Path(scratch) / "in"
        write(out, CONTENTS)
        smas = command(running, proxy, Path(scratch))
        push = ("--json", "--quiet", "push", out, MODEL, "--retries", "1")
        pull = ("--json", "--quiet", "pull", MODEL, folder, "--retries", "1")
        if agreed(smas.run(*push)):
            proxy.schedule()
            assert agreed(smas.run(*push)) == 0
        proxy.schedule(pulling)
        code = agreed(smas.run(*pull))
        assert files_in(folder).items() <= CONTENTS.items()
        assert code or files_in(folder) == CONTENTS
        proxy.schedule()
        assert agreed(smas.run(*pull)) == 0
        assert files_in(folder) == CONTENTS
        assert left_in(folder) == {"lock", "pulled.json"}
        assert scratch_in(smas.cache) == []


def test_a_store_that_is_busy_for_a_second_is_asked_again_after_it(running: Upstream, tmp_path: Path) -> None:
    """Retry-After is kept, on the store's side and on S3's, and no more requests are made than needed."""
    running.forget()
    write(tmp_path / "out", {"config.json": b"{}"})
    busy = [Fault(What.BUSY_FOR_A_SECOND, Kind.STORE), Fault(What.BUSY_FOR_A_SECOND, Kind.PUT)]
    with Proxy(running.place, busy) as proxy:
        smas = command(running, proxy, tmp_path)
        assert smas.text("push", tmp_path / "out", MODEL, "--no-wait") == f"{MODEL}@1"
        assert [seen.what for seen in proxy.seen(Kind.PUT)] == [What.BUSY_FOR_A_SECOND, What.NOTHING]
        first, *others = proxy.seen(Kind.STORE)
        assert first.what == What.BUSY_FOR_A_SECOND
        assert len({seen.line for seen in others} | {first.line}) == len(others)


def test_a_store_that_never_answers_is_told_with_what_to_do_next(running: Upstream, tmp_path: Path) -> None:
    """After all tries one sentence, the next step and the request id; no traceback, no signed URL."""
    with Proxy(running.place, [Fault(What.RESET)] * 100) as proxy:
        done = command(running, proxy, tmp_path).run("pull", MODEL, tmp_path / "in", "--retries", "1")
        assert (done.returncode, done.stdout) == (9, "")
        first, following, request_id = done.stderr.splitlines()
        assert first.startswith(f"smas: {proxy.address} gave no whole answer (ProtocolError")
        assert following == "  next: run the same command again: what was transferred is not sent twice"
        assert request_id.startswith("  request id: ")
        assert len(proxy.seen()) == 2


def test_debug_lines_hold_no_secret(running: Upstream, tmp_path: Path) -> None:
    """Every try is told with its outcome; neither the token nor a signed URL's query is."""
    running.forget()
    write(tmp_path / "out", {"config.json": b"{}"})
    with Proxy(running.place, [Fault(What.ERROR, Kind.STORE)]) as proxy:
        smas = command(running, proxy, tmp_path)
        done = smas.run("--debug", "push", tmp_path / "out", MODEL)
        assert done.returncode == 0, done.stderr
        where = proxy.address + proxy.seen()[0].line.removeprefix("GET ")
        outcomes = [
            line.partition(f" {where}: ")[2][:3] for line in done.stderr.splitlines() if where in line
        ]
        assert outcomes == ["500", "404"]
        assert smas.variables["SMAS_TOKEN"] not in done.stderr
        assert "?" not in done.stderr
