"""Asking an advisory service about pins, by pip-audit.

pip-audit's exit codes do not tell a finding from a service that did not answer, and it leaves out what is not
for this system; here every pin is asked about, and no answer is never taken for a good one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from supply_chain.advisories import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# https://google.github.io/osv.dev/post-v1-query/: PyPI's own advisories and GitHub's.
OSV: Final = "https://api.osv.dev/v1/query"

# A version with well-known vulnerabilities: a service that finds nothing here knows nothing.
KNOWN_BAD: Final = ("jinja2", "2.4.1")

_UNREACHABLE: Final = re.compile(r"ConnectionError|Timeout|ProxyError|SSLError|Could not connect")
_LONGEST_SUMMARY: Final = 160


class ServiceUnreachable(Exception):
    """No connection to the advisory service; says why."""


class ScanFailed(Exception):
    """The service or pip-audit answered, but not with an audit."""


class _Vulnerability(msgspec.Struct):
    id: str
    fix_versions: list[str] = []
    aliases: list[str] = []
    description: str = ""


class _Dependency(msgspec.Struct):
    name: str
    version: str = ""
    vulns: list[_Vulnerability] = []
    skip_reason: str = ""


class _Answer(msgspec.Struct):
    dependencies: list[_Dependency]


def scan(pins: Iterable[tuple[str, str]], service: str = OSV) -> list[Finding]:
    """What ``service`` knows of each (name, version).

    Raises:
        ServiceUnreachable: there is no connection to it.
        ScanFailed: it does not know what everybody knows, or a pin got no answer.
    """
    wanted = set(pins)
    findings = [found for some in _once_each(wanted | {KNOWN_BAD}) for found in _asked(some, service)]
    if not any((each.package, each.version) == KNOWN_BAD for each in findings):
        message = f"{service} knows nothing against {' '.join(KNOWN_BAD)}, so its silence says nothing"
        raise ScanFailed(message)
    return [each for each in findings if (each.package, each.version) in wanted]


def _once_each(pins: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """In groups that hold a name once: pip-audit refuses two versions of one name."""
    groups: list[dict[str, str]] = []
    for name, version in sorted(set(pins)):
        group = next((each for each in groups if name not in each), None)
        if group is None:
            groups.append(group := {})
        group[name] = version
    return [list(each.items()) for each in groups]


def _asked(pins: Sequence[tuple[str, str]], service: str) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text("".join(f"{name}=={version}\n" for name, version in pins), encoding="utf-8")
        ended = subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "pip_audit",
                    "--requirement",
                    str(requirements),
                    "--no-deps",
                    "--disable-pip",
                ),
                *("--vulnerability-service", "osv", "--osv-url", service, "--cache-dir", folder),
                *("--format", "json", "--progress-spinner", "off", "--timeout", "15"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        answer = msgspec.json.decode(ended.stdout, type=_Answer)
    except msgspec.DecodeError as error:
        reason = (ended.stderr.strip().splitlines() or ["no output"])[-1]
        if _UNREACHABLE.search(reason):
            raise ServiceUnreachable(_cause(reason)) from error
        msg = f"pip-audit gave no result: {_brief(reason)}"
        raise ScanFailed(msg) from error
    answered = {(each.name, each.version) for each in answer.dependencies if not each.skip_reason}
    if missing := sorted(set(pins) - answered):
        msg = f"no answer about {', '.join(f'{name} {version}' for name, version in missing)}"
        raise ScanFailed(msg)
    return [_finding(each, known) for each in answer.dependencies for known in each.vulns]


def _finding(dependency: _Dependency, known: _Vulnerability) -> Finding:
    return Finding(
        package=dependency.name,
        version=dependency.version,
        ids=(known.id, *sorted(known.aliases)),
        fixed_in=tuple(known.fix_versions),
        summary=_brief(known.description),
    )


def _cause(reason: str) -> str:
    """The innermost of the errors that a line names."""
    return str(re.findall(r"\w+Error|\w*Timeout|Could not connect", reason)[-1])


def _brief(text: Any) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= _LONGEST_SUMMARY else f"{words[:_LONGEST_SUMMARY]}…"
