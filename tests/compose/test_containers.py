"""The stack as `make up RUNTIME=docker` starts it. What it does, `tests/e2e` shows on it as well."""

from __future__ import annotations

import json
import re
import tarfile
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.compose.conftest import UP
from tests.image.containers import docker
from tests.local_aws import free_port, run_stack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

STAYING = {"emulator", "shipper", "service", "worker"}
_PATIENCE = 60.0


def inspected(stack: Stack) -> dict[str, dict[str, Any]]:
    """What the engine knows of the stack's containers, by the name of the service."""
    settings = (stack.aws.state / "compose.env").read_text(encoding="utf-8")
    project = dict(line.split("=", 1) for line in settings.splitlines())["COMPOSE_PROJECT_NAME"]
    found = docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={project}")
    described = json.loads(docker("inspect", *found.split()))
    return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in described}


def log_lines(stack: Stack, name: str) -> list[str]:
    """What a program has written, as the state directory has it."""
    return (stack.aws.state / "logs" / f"{name}.log").read_text(encoding="utf-8").splitlines()


def test_all_of_it_is_well_and_little_trusted(containers: Stack) -> None:
    """As the engine sees it: healthy, not root, read-only, limited, published on the loopback address."""
    described = inspected(containers)

    assert described.keys() == {*STAYING, "provision"}
    assert described["provision"]["State"]["ExitCode"] == 0
    for name, each in described.items():
        host = each["HostConfig"]
        assert re.match(r"[1-9]", each["Config"]["User"]), name
        assert host["ReadonlyRootfs"], name
        assert (host["CapDrop"], host["Privileged"], host["Init"]) == (["ALL"], False, True), name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        published = [at for ports in host["PortBindings"].values() for at in ports]
        assert {at["HostIp"] for at in published} <= {"127.0.0.1"}, name
    assert run_stack(containers.aws.state, "status").returncode == 0


def test_a_presigned_url_is_good_on_this_machine_and_in_the_network(
    containers: Stack, tmp_path: Path
) -> None:
    """One address for both: the containers have the emulator's network, with the same ports outside."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"some weights")
    scientist, model = containers.user("ds-fraud"), "fraud/presigned"
    (file,) = scientist.upload(model, folder)
    scientist.publish(model, [file])
    scientist.settled(model, 1)
    downloads = f"/v1/models/{model}/versions/1/downloads"
    (link,) = scientist.expect(200, "POST", downloads, {"paths": None})["files"]
    service = inspected(containers)["service"]["Id"]
    fetch = "import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())"

    with urllib.request.urlopen(link["url"], timeout=10) as outside:
        assert outside.read() == b"some weights"
    assert docker("exec", service, "python", "-c", fetch, link["url"]) == "some weights"


def test_another_start_changes_nothing(containers: Stack) -> None:
    """Nothing is made anew, least of all the emulator, which would have forgotten everything."""
    before = {name: each["Id"] for name, each in inspected(containers).items() if name in STAYING}

    again = run_stack(containers.aws.state, *UP, timeout=900)

    after = {name: each["Id"] for name, each in inspected(containers).items() if name in STAYING}
    assert (again.returncode, after) == (0, before), again.stderr
    assert containers.url in again.stdout


def test_the_other_runtime_and_another_port_wait_for_down(containers: Stack) -> None:
    """One sentence each, and all goes on running."""
    native = run_stack(containers.aws.state, "up", "--runtime", "native")
    moved = run_stack(containers.aws.state, *UP, "--port", str(free_port()))

    assert (native.returncode, native.stdout, moved.returncode, moved.stdout) == (1, "", 1, "")
    assert native.stderr.startswith("The stack already runs in containers; run `make down` first")
    assert "run `make down` first" in moved.stderr
    assert run_stack(containers.aws.state, "status").returncode == 0


def test_every_line_is_in_the_log_and_in_the_engines_once(containers: Stack) -> None:
    """`make logs` and `docker compose logs` show the same, and CloudWatch Logs has each line once."""
    containers.user("ds-nlp").expect(404, "GET", "/v1/models/fraud/nowhere/versions/1")
    service = inspected(containers)["service"]["Id"]
    logs = containers.aws.root_client("logs")

    deadline = time.monotonic() + _PATIENCE
    while True:
        written = [line for line in log_lines(containers, "service") if "/healthz" not in line]
        kept = [line for line in docker("logs", service).splitlines() if "/healthz" not in line]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/smas/service")
        messages = [event["message"] for page in pages for event in page["events"]]
        shipped = [line for line in messages if "/healthz" not in line]
        if written == kept and sorted(shipped) == sorted(written):
            break
        assert time.monotonic() < deadline, (len(written), len(kept), len(shipped))
        time.sleep(0.3)
    assert any('"refusal"' in line for line in shipped)


@pytest.mark.usefixtures("containers")
def test_a_base_image_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """A base image that cannot be had: one sentence with the cause, no settings left."""
    state = tmp_path / "state"
    ports = ("--port", str(free_port()), "--aws-port", str(free_port()))

    failed = run_stack(state, *UP[:-1], "smas-test-there-is-no-such-base:1", *ports, timeout=900)

    assert (failed.returncode, failed.stdout) == (1, "")
    assert "The base image smas-test-there-is-no-such-base:1 cannot be pulled" in failed.stderr
    assert not (state / "compose.env").exists()
    assert run_stack(state, "status").returncode == 1


@pytest.mark.usefixtures("containers")
def test_a_start_that_fails_is_undone_and_told(tmp_path: Path) -> None:
    """A base image without Python: the builder's last words in one sentence, no container and no settings."""
    archive, state, base = tmp_path / "base.tar", tmp_path / "state", "smas-test-empty:1"
    with tarfile.open(archive, "w") as empty:
        empty.add(__file__, "a-file")
    docker("import", str(archive), base)
    ports = ("--port", str(free_port()), "--aws-port", str(free_port()))

    try:
        failed = run_stack(state, *UP[:-1], base, *ports, timeout=900)
    finally:
        docker("image", "rm", base)

    assert (failed.returncode, failed.stdout) == (1, "")
    told = failed.stderr.splitlines()
    assert told[-2].endswith("stopping the containers again")
    assert told[-1].startswith("The images could not be built: ")
    assert not (state / "compose.env").exists()
    assert not (state / "stack.json").exists()
