"""The rules that `docker-compose.yml` keeps, read from it as YAML."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]  # comes with other libraries, without types

from tests.local_aws import REPOSITORY

SERVICES: Final[dict[str, dict[str, Any]]] = yaml.safe_load(
    (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
)["services"]
ONE_SHOT = {"provision"}
every_service = pytest.mark.parametrize("name", SERVICES)


def started_before(name: str) -> set[str]:
    """All that must be there before a service is started."""
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(started_before(other) for other in direct))


def mounts(name: str) -> dict[str, bool]:
    """Which folders a service sees, and whether it may write to them."""
    return {mount["target"]: not mount.get("read_only", False) for mount in SERVICES[name]["volumes"]}


def test_only_this_machine_reaches_it() -> None:
    """Ports are published on the loopback address; the others share the emulator's network."""
    ports = SERVICES["emulator"]["ports"]
    assert all(re.fullmatch(r"127\.0\.0\.1:(\$\{\w+:-\d+\}):\1", port) for port in ports)
    for name, service in SERVICES.items():
        assert name == "emulator" or (
            service["network_mode"] == "service:emulator" and "ports" not in service
        ), name


@every_service
def test_it_is_trusted_with_little(name: str) -> None:
    """Not root, no capability, nothing to gain, nothing to write but what is mounted for that."""
    service = SERVICES[name]
    assert service["user"].startswith("${SMAS_USER:?")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service
    assert not any("docker.sock" in target for target in mounts(name))


@every_service
def test_it_has_limits(name: str) -> None:
    """Memory, processor, processes, the engine's own log, and the temporary files, which are in memory."""
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() >= {"max-size", "max-file"}
    assert all("size=" in each for each in service["tmpfs"])


@every_service
def test_it_can_be_watched_and_stopped(name: str) -> None:
    """A health check unless it ends by itself; an init that passes signals on; time to end in order."""
    service = SERVICES[name]
    assert ("healthcheck" in service) == (name not in ONE_SHOT)
    assert service["init"] is True
    assert service["stop_grace_period"]
    # A new emulator is an empty one: nothing is started again behind the user's back.
    assert service["restart"] == "no"


@every_service
def test_what_it_runs_is_named_exactly(name: str) -> None:
    """Images of our own, built here, on a base that names its release."""
    service = SERVICES[name]
    base = service["build"]["args"]["BASE"]
    assert not {tag for tag in (service["image"], base) if "latest" in tag or ":" not in tag}
    assert base == "${SMAS_BASE_IMAGE:-python:3.13-slim-bookworm}"


def test_service_and_worker_are_one_image() -> None:
    """The one that is deployed; the local AWS is in another."""
    assert SERVICES["service"]["build"] == SERVICES["worker"]["build"]
    assert SERVICES["service"]["image"] == SERVICES["worker"]["image"] != SERVICES["emulator"]["image"]
    assert "dockerfile" not in SERVICES["service"]["build"]


def test_the_order_is_by_health() -> None:
    """The account is provisioned before it is used; the shipper is stopped after those it ships for."""
    assert SERVICES["provision"]["depends_on"]["emulator"] == {"condition": "service_healthy"}
    for name in ("service", "worker"):
        assert started_before(name) == {"emulator", "provision", "shipper"}
    for service in SERVICES.values():
        for other, wanted in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert wanted == {"condition": done}


def test_service_and_worker_write_nothing_but_their_logs() -> None:
    """Settings and credentials are theirs to read."""
    for name in ("service", "worker"):
        writable = {target for target, may_write in mounts(name).items() if may_write}
        assert writable == {"${SMAS_STATE}/logs"}


def test_developing_adds_code_and_debuggers_and_takes_no_protection_away() -> None:
    """What `DEV=1` lays over it: the tree's code, read-only, and ports on the loopback address."""
    added = yaml.safe_load((REPOSITORY / "emulator" / "develop" / "docker-compose.yml").read_text("utf-8"))[
        "services"
    ]

    assert added.keys() == {"emulator", "service", "worker"}
    assert added["emulator"].keys() == {"ports"}
    for port in added["emulator"]["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{(\w+)(:\?[^}]+)?\}:\$\{\1\}", port), port
    for name in ("service", "worker"):
        assert added[name].keys() == {"command", "environment", "volumes"}
        assert all(mount["read_only"] for mount in added[name]["volumes"])
        assert added[name]["environment"].keys() == {"PYTHONPATH", "PYDEVD_DISABLE_FILE_VALIDATION"}


def test_nothing_else_knows_of_a_debugger() -> None:
    """Neither the images nor the stack without `DEV=1`."""
    for path in ("docker-compose.yml", "Dockerfile", "emulator/Dockerfile", "requirements/service.txt"):
        assert "debug" not in (REPOSITORY / path).read_text(encoding="utf-8"), path
    for module in (REPOSITORY / "service").rglob("*.py"):
        assert "debugpy" not in module.read_text(encoding="utf-8"), module
