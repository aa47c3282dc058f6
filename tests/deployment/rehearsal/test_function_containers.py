"""What MiniStack needs, so that a function's container is as Lambda makes it."""

from __future__ import annotations

import json
import os
import shlex
import stat
from typing import TYPE_CHECKING

import pytest

from deployment.errors import DeploymentError
from deployment.rehearsal.function_containers import OTHER_BASE, FunctionContainers, NoEngine, base_image

if TYPE_CHECKING:
    from pathlib import Path

# An engine with one image to build on, and what was built on it.
ENGINE = """#!/bin/sh
case "$*" in
*Config.Env*sha256:built) echo '["LANG=C.UTF-8", "PATH=/opt/smas/bin:/usr/bin"]' ;;
"image inspect base:here") ;;
version*) echo 28.0 ;;
*--build-arg\\ BASE=base:here*) echo sha256:built ;;
*) echo "no such thing" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path) -> dict[str, str]:
    """An environment with that engine."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(ENGINE)
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with a Dockerfile."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "Dockerfile").write_text("ARG BASE=base:here\nFROM ${BASE}\nARG BASE\n")
    return folder


@pytest.fixture
def containers(tmp_path: Path, repository: Path, engine: dict[str, str]) -> FunctionContainers:
    """Of an image that was built, prepared."""
    made = FunctionContainers.built(tmp_path / "function", repository, engine)
    made.prepare()
    return made


def test_the_program_comes_before_the_images_python(
    containers: FunctionContainers, engine: dict[str, str]
) -> None:
    """On the path of the container, so that the entry point which Terraform configured finds it."""
    given = containers.ministack_environment("http://localhost:4566", engine)
    flags = shlex.split(given["LAMBDA_DOCKER_FLAGS"])
    mounted = flags[flags.index("--volume") + 1]
    assert mounted == f"{containers.folder}:/var/function-container:ro"
    assert "PATH=/var/function-container:/opt/smas/bin:/usr/bin" in flags
    assert os.access(containers.folder / "python", os.X_OK)


def test_a_containers_system_is_read_only_but_for_tmp(
    containers: FunctionContainers, engine: dict[str, str]
) -> None:
    """As a function's is in Lambda, with 512 MB there."""
    flags = containers.ministack_environment("http://localhost:4566", engine)["LAMBDA_DOCKER_FLAGS"]
    assert "--read-only --tmpfs /tmp:mode=1777,size=512m" in flags


def test_what_runs_is_what_was_built(containers: FunctionContainers, engine: dict[str, str]) -> None:
    """By its digest: another build may take its name away meanwhile."""
    given = containers.ministack_environment("http://localhost:4566", engine)
    assert given["SMAS_REHEARSAL_IMAGE"] == "sha256:built"


def test_without_an_engine_the_reason_is_a_clause(repository: Path, tmp_path: Path) -> None:
    """For a line that says what was skipped."""
    with pytest.raises(NoEngine, match=r"^there is no container engine"):
        base_image(repository, {"PATH": "/nowhere"})
    silent = tmp_path / "docker"
    silent.write_text("#!/bin/sh\necho 'Cannot connect' >&2\nexit 1\n")
    silent.chmod(0o755)
    with pytest.raises(NoEngine, match=r"^no container engine answers \(docker says: Cannot connect\)"):
        base_image(repository, {"PATH": f"{tmp_path}:{os.environ['PATH']}"})


def test_a_base_image_that_cannot_be_had_is_named(repository: Path, engine: dict[str, str]) -> None:
    """With the variable that names another."""
    with pytest.raises(NoEngine, match="base image base:gone cannot be pulled"):
        base_image(repository, {**engine, OTHER_BASE: "base:gone"})


def test_an_image_that_does_not_build_fails_the_rehearsal(tmp_path: Path) -> None:
    """It is skipped only where it cannot be tried."""
    failing = tmp_path / "failing" / "docker"
    failing.parent.mkdir()
    failing.write_text('#!/bin/sh\n[ "$1" != build ] || { echo "step 3 failed" >&2; exit 1; }\n')
    failing.chmod(0o755)
    (tmp_path / "Dockerfile").write_text("ARG BASE=base:here\n")
    with pytest.raises(DeploymentError, match="cannot be built: step 3 failed"):
        FunctionContainers.built(tmp_path, tmp_path, {"PATH": f"{failing.parent}:{os.environ['PATH']}"})


def test_who_runs_the_image_may_read_what_functions_are_given(containers: FunctionContainers) -> None:
    """For it is somebody of its own; what was given before is replaced as a whole."""
    containers.give({"smas-api": {"A": "1"}})
    containers.give({"smas-verifier": {"B": "2"}})
    (written,) = containers.folder.glob("*.json")
    assert json.loads(written.read_text()) == {"smas-verifier": {"B": "2"}}
    assert stat.S_IMODE(written.stat().st_mode) == 0o644


def test_a_folder_too_far_down_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """A socket's path has an end."""
    with pytest.raises(DeploymentError, match="too long a path for a socket"):
        FunctionContainers(tmp_path / ("deep" * 30), "sha256:built").prepare()
