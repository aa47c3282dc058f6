"""What an image holds, read from its file system; nothing of the image is run.

Its own programs could tell whatever they like of it, and those for another kind of processor do not run here.
"""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from dataclasses import dataclass, field
from email import policy
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Final

from packaging.utils import NormalizedName, canonicalize_name

from supply_chain.metadata import declared_licence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WANTED: Final = re.compile(
    r"""(?x)
      (?P<metadata>.+\.(dist-info/METADATA|egg-info/PKG-INFO|egg-info))
    | .+\.dist-info/(?P<bundled>sboms/[^/]+\.json)
    | (?P<dpkg>var/lib/dpkg/status)
    | (?P<release>(etc|usr/lib)/os-release)
    | opt/[^/]+/(?P<venv>pyvenv\.cfg)
    """
)


class ImageUnreadable(Exception):
    """The engine does not have the image, or cannot hand it out."""


class NoEngine(ImageUnreadable):
    """No container engine answers here."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A Python distribution: its folder, and inventories of what its publisher built into it (PEP 770)."""

    name: NormalizedName
    version: str
    path: str
    declared: str
    summary: str
    bundled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """An installed package; ``source`` is what Debian's security tracker knows it by."""

    name: str
    version: str
    architecture: str
    source: str
    source_version: str


@dataclass(frozen=True, slots=True)
class ImageContents:
    """An image: the digests of its configuration and layers, labels, when it was built, what is in it."""

    id: str
    created: str
    labels: Mapping[str, str]
    layers: tuple[str, ...]
    system: Mapping[str, str]
    python: str
    distributions: tuple[Distribution, ...]
    packages: tuple[DebianPackage, ...]


def read_image(image: str) -> ImageContents:
    """Read an image that the local engine has.

    Raises:
        NoEngine: there is none that answers.
        ImageUnreadable: it does not know the image.
    """
    _find_engine()
    about = json.loads(_docker("image", "inspect", image))[0]
    # It is never started; a command is named because some images name none.
    container = _docker("create", "--network", "none", image, "never").decode().strip()
    try:
        found = _exported(container)
    finally:
        _docker("rm", container)
    return ImageContents(
        id=about["Id"],
        created=about["Created"],
        labels=about["Config"].get("Labels") or {},
        layers=tuple(about["RootFS"]["Layers"]),
        system=_assignments(found.release),
        python=_assignments(found.venv).get("version", ""),
        distributions=tuple(sorted(found.distributions(), key=lambda each: (each.name, each.path))),
        packages=tuple(sorted(_packages(found.dpkg), key=lambda each: (each.name, each.architecture))),
    )


@dataclass(slots=True)
class _Files:
    metadata: dict[str, str] = field(default_factory=dict)
    bundled: dict[str, str] = field(default_factory=dict)
    dpkg: str = ""
    release: str = ""
    venv: str = ""

    def distributions(self) -> Iterator[Distribution]:
        for path, text in self.metadata.items():
            headers = HeaderParser(policy=policy.compat32).parsestr(text)
            folder = path.removesuffix("/METADATA").removesuffix("/PKG-INFO")
            yield Distribution(
                name=canonicalize_name(str(headers["Name"])),
                version=str(headers["Version"]),
                path=f"/{folder}",
                declared=declared_licence(headers),
                summary=str(headers.get("Summary") or "").strip(),
                bundled=tuple(
                    text for name, text in sorted(self.bundled.items()) if name.startswith(f"{folder}/")
                ),
            )


def _exported(container: str) -> _Files:
    found = _Files()
    with (
        subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
        tarfile.open(fileobj=export.stdout, mode="r|") as archive,
    ):
        for member in archive:
            path = member.name.removeprefix("./")
            if not member.isfile() or (wanted := _WANTED.fullmatch(path)) is None:
                continue
            file = archive.extractfile(member)
            text = file.read().decode("utf-8", "replace") if file else ""
            match wanted.lastgroup:
                case "metadata":
                    found.metadata[path] = text
                case "bundled":
                    found.bundled[path] = text
                case "dpkg":
                    found.dpkg = text
                case "release":
                    found.release = text
                case "venv":
                    found.venv = text
    if export.returncode:
        message = f"the engine could not export {container}"
        raise ImageUnreadable(message)
    return found


def _packages(status: str) -> Iterator[DebianPackage]:
    """The paragraphs of dpkg's status file, which are headers like a letter's.

    https://www.debian.org/doc/debian-policy/ch-controlfields.html. (python-debian would do, but it is GPL.)
    """
    for paragraph in re.split(r"\n\n+", status.strip()):
        fields = HeaderParser(policy=policy.compat32).parsestr(paragraph)
        if not str(fields.get("Status") or "").endswith(" installed"):
            continue
        source, _, version = str(fields.get("Source") or fields["Package"]).partition(" ")
        yield DebianPackage(
            name=fields["Package"],
            version=fields["Version"],
            architecture=fields["Architecture"],
            source=source,
            source_version=version.strip("()") or fields["Version"],
        )


def _assignments(text: str) -> dict[str, str]:
    """Lines of ``name = value``, as os-release(5) and pyvenv.cfg have them."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _find_engine() -> None:
    try:
        answered = subprocess.run(["docker", "version"], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NoEngine("there is no container engine here") from error
    if answered.returncode:
        raise NoEngine("no container engine answers here")


def _docker(*arguments: str) -> bytes:
    ended = subprocess.run(["docker", *arguments], capture_output=True, check=False)
    if ended.returncode:
        said = (ended.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
        message = f"docker {' '.join(arguments)}: {said}"
        raise ImageUnreadable(message)
    return ended.stdout
