"""`make sbom`: all of the image is in it, the same image gives the same bytes, and it is CycloneDX."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from packaging.utils import canonicalize_name

from supply_chain.locks import read_lock
from tests.image.containers import BASE, docker, inspected
from tests.local_aws import REPOSITORY
from tests.supply_chain.tools import TOOLS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.supply_tools, pytest.mark.timeout(900)]

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/socket"}
# What the container itself says: by its own interpreter, and by its own package manager.
OF_PYTHON = """
import importlib.metadata as metadata, json
print(json.dumps([[each.name, each.version] for each in metadata.distributions()]))
"""
VERSIONS = """
import platform
from cryptography.hazmat.backends.openssl.backend import backend
print(platform.python_version(), backend.openssl_version_text().split()[1])
"""
OF_DEBIAN = (
    "dpkg-query",
    "--show",
    "--showformat=${Package} ${Version} ${Architecture} ${db:Status-Status}\\n",
)
VALIDATE = """
import sys
from pathlib import Path
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(sys.argv[1]).read_text())
sys.exit(0 if error is None else f"invalid: {error}")
"""


def made(folder: Path, *options: str, **variables: str) -> Path:
    """The document that the command writes; it says where."""
    ended = TOOLS.run("-m", "supply_chain.sbom", "--folder", str(folder), *options, **variables)
    assert ended.code == 0, ended.complained
    (written,) = folder.iterdir()
    assert ended.said == f"{written}\n"
    return written


def read(path: Path) -> dict[str, Any]:
    """A document."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def pins_without(document: dict[str, Any]) -> list[str]:
    """The pins of the image's lock whose version, purl or hashes the document lacks."""
    known = {each.get("purl"): each for each in document["components"]}
    missing: list[str] = []
    for pin in read_lock(REPOSITORY / "requirements/service.txt").pins:
        found = known.get(f"pkg:pypi/{pin.name}@{pin.version}", {"externalReferences": []})
        hashes = {each["content"] for ref in found["externalReferences"] for each in ref["hashes"]}
        if (found.get("name"), found.get("version"), hashes) != (pin.name, pin.version, set(pin.sha256)):
            missing.append(pin.name)
    return missing


def test_without_an_engine_it_is_the_locks_part_and_says_so(tmp_path: Path) -> None:
    """By its file's name, on the terminal, and in itself; every pin is there, and it is valid CycloneDX."""
    ended = TOOLS.run("-m", "supply_chain.sbom", "--folder", str(tmp_path), **NO_ENGINE)
    assert "only the Python part is written, without the packages of the base image" in ended.complained
    written = tmp_path / "sbom-python.cdx.json"
    document = read(written)
    assert document["metadata"]["component"]["name"] == "secure-model-artifact-store-python"
    (missing,) = document["metadata"]["component"]["properties"]
    assert missing["name"] == "smas:missing"
    assert document["metadata"]["lifecycles"] == [{"phase": "pre-build"}]
    assert pins_without(document) == []
    assert TOOLS.run("-c", VALIDATE, str(written)).code == 0
    document["components"][0]["type"] = "thing"
    written.write_text(json.dumps(document), encoding="utf-8")
    assert "invalid" in TOOLS.run("-c", VALIDATE, str(written)).complained


def test_the_same_lock_gives_the_same_bytes(tmp_path: Path) -> None:
    """Its time is what it is told; its number follows from what it holds."""
    first = made(tmp_path / "once", SOURCE_DATE_EPOCH="1700000000", **NO_ENGINE).read_bytes()
    assert made(tmp_path / "again", SOURCE_DATE_EPOCH="1700000000", **NO_ENGINE).read_bytes() == first
    other = made(tmp_path / "later", SOURCE_DATE_EPOCH="1800000000", **NO_ENGINE).read_bytes()
    assert json.loads(first)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert json.loads(other)["serialNumber"] != json.loads(first)["serialNumber"]


@pytest.fixture(scope="module")
def sbom(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's document."""
    return made(tmp_path_factory.mktemp("sbom"), "--image", image)


def inside(image: str, *command: str) -> str:
    """What a program of the image prints."""
    return docker("run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", image, *command)


def purls(document: dict[str, Any], kind: str) -> list[str]:
    """The package URLs of a kind, without their quoting."""
    every = (unquote(each.get("purl", "")) for each in document["components"])
    return [each for each in every if each.startswith(f"pkg:{kind}/")]


@pytest.mark.container_engine
def test_every_distribution_of_the_image_is_in_it(image: str, sbom: Path) -> None:
    """As the image's own interpreter lists them, and as the lock does; each has a licence."""
    document = read(sbom)
    assert pins_without(document) == []
    listed = json.loads(inside(image, "python", "-c", OF_PYTHON))
    installed = {f"pkg:pypi/{canonicalize_name(name)}@{version}" for name, version in listed}
    assert len(installed) >= 20
    assert installed - set(purls(document, "pypi")) == set()
    ours = [each for each in document["components"] if "externalReferences" in each]
    assert [each["name"] for each in ours if not each.get("licenses")] == []


@pytest.mark.container_engine
def test_every_debian_package_of_the_image_is_in_it(image: str, sbom: Path) -> None:
    """As the image's own package manager lists them, and nothing beside them."""
    lines = [line.split() for line in inside(image, *OF_DEBIAN).splitlines()]
    installed = {
        f"{name}@{version}?arch={arch}" for name, version, arch, status in lines if status == "installed"
    }
    assert len(installed) >= 50
    assert {
        each.removeprefix("pkg:deb/debian/").partition("&")[0] for each in purls(read(sbom), "deb")
    } == installed


@pytest.mark.container_engine
def test_it_names_the_interpreter_and_what_is_built_in(image: str, sbom: Path) -> None:
    """The Python that runs, and the OpenSSL inside cryptography, which no package manager knows of."""
    components = {each["bom-ref"]: each for each in read(sbom)["components"]}
    python, openssl = inside(image, "python", "-c", VERSIONS).split()
    assert components["interpreter"]["version"] == python
    (cryptography,) = [each for each in components.values() if each["name"] == "cryptography"]
    assert f"pkg:generic/openssl@{openssl}" in {
        each["purl"].partition("?")[0] for each in cryptography["components"]
    }


@pytest.mark.container_engine
def test_it_is_of_this_image(image: str, sbom: Path) -> None:
    """By id and layers, at the time it was built; the same image gives the same bytes."""
    about = inspected(image)
    component = read(sbom)["metadata"]["component"]
    properties = {each["name"]: each["value"] for each in component["properties"]}
    assert properties["smas:image:id"] == about["Id"]
    layers = [properties[f"smas:image:layer:{number}"] for number in range(len(about["RootFS"]["Layers"]))]
    assert layers == about["RootFS"]["Layers"]
    assert read(sbom)["metadata"]["timestamp"] == f"{about['Created'][:19]}+00:00"
    assert TOOLS.run("-c", VALIDATE, str(sbom)).code == 0


@pytest.mark.container_engine
def test_the_same_image_gives_the_same_bytes(image: str, sbom: Path, tmp_path: Path) -> None:
    """Whenever it is asked for."""
    assert made(tmp_path, "--image", image).read_bytes() == sbom.read_bytes()


@pytest.mark.container_engine
def test_an_image_of_another_lock_is_refused(image: str, tmp_path: Path) -> None:
    """Its hashes would be another's. So is an image that is not there."""
    base = BASE or inspected(image)["Config"]["Labels"]["org.opencontainers.image.base.name"]
    ended = TOOLS.run("-m", "supply_chain.sbom", "--folder", str(tmp_path), "--image", base)
    assert ended.code == 1
    assert "was not built from service.txt" in ended.complained
    never = TOOLS.run("-m", "supply_chain.sbom", "--folder", str(tmp_path), "--image", "smas-never-built:1")
    assert never.code == 1
    assert "smas-never-built:1" in never.complained
    assert list(tmp_path.iterdir()) == []
