"""`make sbom`: what the image is made of, as CycloneDX 1.6 JSON (https://cyclonedx.org/docs/1.6/json/).

The same image gives the same bytes: the document's number is made of its contents, its time is
SOURCE_DATE_EPOCH or the image's own. Without an engine the Python part alone is written, from the lock, and
says what is missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.markers import Marker

from supply_chain import components
from supply_chain.image import ImageContents, ImageUnreadable, NoEngine, read_image
from supply_chain.licences import read_policy
from supply_chain.locks import Lock, LockError, Pin, read_lock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cyclonedx.model.component import Component
    from packaging.utils import NormalizedName

REPOSITORY: Final = Path(__file__).resolve().parent.parent
ENVIRONMENT: Final = "/opt/smas/"
MISSING: Final = (
    "the packages of the base image, its interpreter, and the licences and contents of the distributions"
)


class NotOfThisLock(Exception):
    """The image was built from another lock, so the hashes here are not its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code."""
    parser = argparse.ArgumentParser(prog="make sbom", description=__doc__)
    parser.add_argument("--image", default="smas:local", help="an image that the local engine has")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build", help="where to write it")
    given = parser.parse_args(arguments)
    try:
        lock = read_lock(REPOSITORY / "requirements" / "service.txt")
        readings = read_policy(Path(__file__).parent).readings()
        try:
            name, bom = "sbom.cdx.json", of_image(read_image(given.image), lock, readings)
        except NoEngine as error:
            print(f"{error}: only the Python part is written, without {MISSING}", file=sys.stderr)
            name, bom = "sbom-python.cdx.json", of_lock(lock)
        document = serialised(bom)
    except (ImageUnreadable, LockError, NotOfThisLock) as error:
        print(f"no SBOM: {error}", file=sys.stderr)
        return 1
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / name).write_text(document, encoding="utf-8")
    print(given.folder / name)
    return 0


def of_image(contents: ImageContents, lock: Lock, readings: Mapping[NormalizedName, str]) -> Bom:
    """The whole inventory.

    Raises:
        NotOfThisLock: the image's environment is not what the lock says.
    """
    pins = {pin.name: pin for pin in lock.pins if _applies(pin, contents.python)}
    ours = {each.name: each for each in contents.distributions if each.path.startswith(ENVIRONMENT)}
    if differing := _differences(pins, {name: each.version for name, each in ours.items()}):
        advice = "build it again, or check out its commit"
        message = f"the image was not built from {lock.name}.txt ({', '.join(differing)}); {advice}"
        raise NotOfThisLock(message)
    top, system = components.image(contents), components.system(contents.system)
    interpreter = components.interpreter(contents.python)
    locked = {name: components.locked(pin, ours[name], readings) for name, pin in pins.items()}
    base = [
        components.unlocked(each) for each in contents.distributions if not each.path.startswith(ENVIRONMENT)
    ]
    packages = [components.debian(each, contents.system) for each in contents.packages]
    bom = _bom(top, LifecyclePhase.POST_BUILD, datetime.fromisoformat(contents.created[:19]))
    bom.components.update([system, interpreter, *locked.values(), *base, *packages])
    bom.register_dependency(
        top, [system, interpreter, *(locked[pin.name] for pin in pins.values() if pin.wanted)]
    )
    bom.register_dependency(system, [*packages, *base])
    _register(bom, pins, locked)
    return bom


def of_lock(lock: Lock) -> Bom:
    """The Python part, as far as a lock tells it; named as what it is."""
    top = components.python_part(MISSING)
    pins = {pin.name: pin for pin in lock.pins}
    locked = {name: components.locked(pin, None, {}) for name, pin in pins.items()}
    bom = _bom(top, LifecyclePhase.PRE_BUILD, datetime.fromtimestamp(0, UTC))
    bom.components.update(locked.values())
    bom.register_dependency(top, [locked[pin.name] for pin in pins.values() if pin.wanted])
    _register(bom, pins, locked)
    return bom


def serialised(bom: Bom) -> str:
    """The document, valid against CycloneDX's schema; the same contents give the same text."""
    bom.serial_number = UUID(int=0)
    unnumbered = JsonV1Dot6(bom).output_as_string()
    bom.serial_number = uuid5(NAMESPACE_OID, sha256(unnumbered.encode()).hexdigest())
    document: str = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(document):
        message = f"the SBOM is not valid CycloneDX: {error}"
        raise AssertionError(message)
    return document


def _bom(top: Component, phase: LifecyclePhase, made: datetime) -> Bom:
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        made = datetime.fromtimestamp(int(epoch), UTC)
    return Bom(
        metadata=BomMetaData(
            component=top,
            timestamp=made.replace(tzinfo=UTC),
            lifecycles=[PredefinedLifecycle(phase=phase)],
            tools=ToolRepository(components=[this_component()]),
        )
    )


def _register(
    bom: Bom, pins: Mapping[NormalizedName, Pin], locked: Mapping[NormalizedName, Component]
) -> None:
    for name, component in locked.items():
        bom.register_dependency(
            component, [locked[pin.name] for pin in pins.values() if name in pin.asked_by]
        )


def _applies(pin: Pin, python: str) -> bool:
    if not pin.marker:
        return True
    of_image = {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
    }
    return Marker(pin.marker).evaluate(of_image)


def _differences(pins: Mapping[NormalizedName, Pin], found: Mapping[NormalizedName, str]) -> list[str]:
    return [
        f"{name} is {found.get(name, 'not')} there, {pins[name].version if name in pins else 'not'} here"
        for name in sorted(pins.keys() | found.keys())
        if name not in pins or found.get(name) != pins[name].version
    ]


if __name__ == "__main__":
    sys.exit(main())
