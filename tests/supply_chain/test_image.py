"""What is in the image beside the service: notices, bytecode of its sources, nothing that was left behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.image.containers import docker, inspected

pytestmark = [pytest.mark.container_engine, pytest.mark.timeout(900)]

# Published without a text: its LICENSE is empty. Its licence's text, Apache-2.0, is in the image many times.
WITHOUT_A_TEXT = {"snapshot-restore-py"}
# The variables that the Dockerfile sets, or its base does.
VARIABLES = {
    *("PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "PYTHONSAFEPATH"),
    *("AWS_DATA_PATH", "AWS_LAMBDA_LOG_FORMAT", "LANG", "GPG_KEY", "PYTHON_VERSION", "PYTHON_SHA256"),
}
TEXTS = """
import importlib.metadata as metadata, json, sysconfig
def length(each):
    info = [file for file in each.files or () if ".dist-info/" in str(file)]
    texts = [file for file in info if any(word in file.name.lower() for word in ("licen", "copying"))]
    return sum(len(file.locate().read_bytes().strip()) for file in texts)
found = metadata.distributions(path=[sysconfig.get_path("purelib")])
print(json.dumps({each.name: length(each) for each in found}))
"""
BYTECODE = """
import importlib.util, json, pathlib
odd, count = [], 0
for root in ("/opt/smas", "/srv"):
    for path in pathlib.Path(root).rglob("*.pyc"):
        count += 1
        code = path.read_bytes()
        source = pathlib.Path(importlib.util.source_from_cache(str(path)))
        same = source.is_file() and importlib.util.source_hash(source.read_bytes()) == code[8:16]
        if code[:4] != importlib.util.MAGIC_NUMBER or code[4:8] != bytes([1, 0, 0, 0]) or not same:
            odd.append(str(path))
print(json.dumps([count, odd]))
"""
# Installers, what builds and what that leaves behind; settings and keys that a build may have used.
LEFT_BEHIND = (
    *("pip", "pip-*.dist-info", "setuptools", "wheel", "_distutils_hack", "*.egg-link", "*.whl", "*.pyo"),
    *(
        "direct_url.json",
        "pip.conf",
        ".netrc",
        ".pypirc",
        ".env",
        "*.env",
        ".git",
        "*.key",
        "id_*",
        "credentials",
        "*.log",
    ),
)


def inside(image: str, *command: str) -> str:
    """What a program of the image prints."""
    return docker("run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", image, *command)


def added(image: str, base: str) -> list[dict[str, str]]:
    """The history's entries that are ours."""
    lines = docker("history", "--no-trunc", "--format", "{{json .}}", image).splitlines()
    return [dict(json.loads(line)) for line in lines][: len(lines) - base_depth(base)]


def base_depth(base: str) -> int:
    """How many entries a base's history has."""
    return len(docker("history", "--quiet", "--no-trunc", base).splitlines())


@pytest.fixture(scope="module")
def about(image: str) -> dict[str, Any]:
    """What the engine knows of the image."""
    return inspected(image)


def test_every_distribution_brings_its_licence(image: str) -> None:
    """BSD, MIT and Apache ask for their text to go along: wheels carry it, and the installer keeps it."""
    texts = json.loads(inside(image, "python", "-c", TEXTS))
    assert len(texts) >= 20
    assert {name for name, length in texts.items() if length < 200} == WITHOUT_A_TEXT


def test_every_debian_package_brings_its_copyright(image: str) -> None:
    """Slim bases drop documentation, and keep these."""
    names = inside(image, "dpkg-query", "--show", "--showformat=${Package}\\n").split()
    there = set(inside(image, "find", "-L", "/usr/share/doc", "-name", "copyright").split())
    assert [name for name in names if f"/usr/share/doc/{name}/copyright" not in there] == []


def test_bytecode_is_its_sources(image: str) -> None:
    """Nobody compares it at run time, so it is done here: by this interpreter, of the source beside it."""
    count, odd = json.loads(inside(image, "python", "-c", BYTECODE))
    assert count >= 500
    assert odd == []


def test_nothing_that_builds_is_left(image: str) -> None:
    """No installer, build tool, cache, setting or key in what we add; nothing in the folders of the build."""
    names = [part for name in LEFT_BEHIND for part in ("-o", "-name", name)][1:]
    assert inside(image, "find", "/opt", "/srv", "(", *names, ")").splitlines() == []
    listed = inside(image, "find", "/", "-maxdepth", "1").split()
    assert {"/opt", "/srv"} <= set(listed)
    assert {"/build", "/image"} & set(listed) == set()


def test_it_adds_one_layer_that_root_alone_can_write(image: str, about: dict[str, Any]) -> None:
    """Of one time, without a bit that lends rights."""
    base = inspected(about["Config"]["Labels"]["org.opencontainers.image.base.name"])
    assert len(about["RootFS"]["Layers"]) == len(base["RootFS"]["Layers"]) + 1
    assert inside(image, "find", "/opt/smas", "/srv", "-not", "-user", "root", "-o", "-perm", "/6000") == ""
    assert inside(image, "find", "/opt/smas", "/srv", "-newermt", "1970-01-01 00:00:01 UTC") == ""


def test_its_history_tells_nothing(image: str, about: dict[str, Any]) -> None:
    """One instruction brings files, from the build stage, whose own history stays there."""
    entries = added(image, about["Config"]["Labels"]["org.opencontainers.image.base.name"])
    sizes = [entry["Size"] for entry in entries if entry["Size"] != "0B"]
    assert len(sizes) == 1
    told = "\n".join(entry["CreatedBy"] for entry in entries)
    assert "HEALTHCHECK" in told
    assert [
        word for word in ("pip ", "index-url", "://", "TOKEN", "SECRET", "PASSWORD", "AKIA") if word in told
    ] == []


def test_its_environment_holds_settings_of_interpreter_and_libraries_alone(about: dict[str, Any]) -> None:
    """Whatever the service has to know comes from where it runs."""
    assert {each.partition("=")[0] for each in about["Config"]["Env"]} <= VARIABLES
