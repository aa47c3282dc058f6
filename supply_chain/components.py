"""The inventory as CycloneDX components: the image, its system, its interpreter, and each distribution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cyclonedx.model.license import License
    from packaging.utils import NormalizedName

    from supply_chain.image import DebianPackage, Distribution, ImageContents
    from supply_chain.locks import Pin

TITLE: Final = "secure-model-artifact-store"

# What a lock's hashes are: those of the files that the installer may take. It verified the one that it took.
_HASHES: Final = "the files that the lock accepts, one of which was installed"


def image(contents: ImageContents) -> Component:
    """The image itself; its layers are the same in every build of one commit, its id is not."""
    labels = contents.labels
    known = {
        "image:id": contents.id,
        "image:revision": labels.get("org.opencontainers.image.revision", ""),
        "image:base": labels.get("org.opencontainers.image.base.name", ""),
        **{f"image:layer:{number}": layer for number, layer in enumerate(contents.layers)},
    }
    return Component(
        type=ComponentType.CONTAINER,
        name=labels.get("org.opencontainers.image.title", TITLE),
        version=labels.get("org.opencontainers.image.version"),
        bom_ref="image",
        properties=_properties(known),
    )


def python_part(missing: str) -> Component:
    """What stands for the image where only its lock is known."""
    return Component(
        type=ComponentType.APPLICATION,
        name=f"{TITLE}-python",
        description="The Python distributions of the image, from its lock.",
        bom_ref="image",
        properties=_properties({"missing": missing}),
    )


def system(release: Mapping[str, str]) -> Component:
    """The base's operating system."""
    return Component(
        type=ComponentType.OPERATING_SYSTEM,
        name=release.get("ID", "unknown"),
        version=release.get("VERSION_ID"),
        description=release.get("PRETTY_NAME"),
        bom_ref="system",
    )


def interpreter(version: str) -> Component:
    """The Python that runs it, as its virtual environment names it."""
    return Component(
        type=ComponentType.PLATFORM,
        name="python",
        version=version,
        bom_ref="interpreter",
        purl=PackageURL("generic", name="python", version=version),
        cpe=f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
    )


def locked(pin: Pin, distribution: Distribution | None, readings: Mapping[NormalizedName, str]) -> Component:
    """A distribution of the lock, with what its publisher says is built into it."""
    made = _distribution(pin.name, pin.version, f"pkg:pypi/{pin.name}@{pin.version}")
    made.external_references = [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"https://pypi.org/project/{pin.name}/{pin.version}/"),
            comment=_HASHES,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pin.sha256],
        )
    ]
    if distribution is not None:
        _describe(made, distribution, readings)
    return made


def unlocked(distribution: Distribution) -> Component:
    """A distribution of the base image, which no lock of ours names."""
    made = _distribution(distribution.name, distribution.version, distribution.path)
    _describe(made, distribution, {})
    return made


def debian(package: DebianPackage, release: Mapping[str, str]) -> Component:
    """A package of the base; the qualifiers are those that scanners look for.

    https://github.com/package-url/purl-spec/blob/main/types-doc/deb-definition.md
    """
    origin = release.get("ID", "debian")
    qualifiers = {"arch": package.architecture, "distro": f"{origin}-{release.get('VERSION_ID', '')}"}
    if (package.source, package.source_version) != (package.name, package.version):
        qualifiers["upstream"] = f"{package.source}@{package.source_version}"
    purl = PackageURL("deb", origin, package.name, package.version, qualifiers)
    return Component(
        type=ComponentType.LIBRARY, name=package.name, version=package.version, purl=purl, bom_ref=str(purl)
    )


def _distribution(name: NormalizedName, version: str, bom_ref: str) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=PackageURL("pypi", name=name, version=version),
        bom_ref=bom_ref,
    )


def _describe(made: Component, distribution: Distribution, readings: Mapping[NormalizedName, str]) -> None:
    made.description = distribution.summary or None
    made.properties = _properties({"path": distribution.path})
    made.licenses = _licences(distribution.declared, readings.get(distribution.name, ""))
    made.components = [each for text in distribution.bundled for each in _bundled(text, made)]


def _licences(declared: str, read: str) -> list[License]:
    """What the metadata declares, or else what a person concluded."""
    if not (expression := declared or read):
        return []
    how = LicenseAcknowledgement.DECLARED if declared else LicenseAcknowledgement.CONCLUDED
    return [LicenseFactory().make_from_string(expression, license_acknowledgement=how)]


def _bundled(text: str, owner: Component) -> Iterable[Component]:
    document = json.loads(text)
    if document.get("bomFormat") != "CycloneDX":
        return []
    found = list(Bom.from_json(document).components)
    for each in found:
        each.bom_ref.value = f"{owner.bom_ref.value}#{each.purl or f'{each.name}@{each.version}'}"
    return found


def _properties(known: Mapping[str, str]) -> list[Property]:
    return [Property(name=f"smas:{name}", value=value) for name, value in known.items() if value]
