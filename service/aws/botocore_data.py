"""botocore's data of our services: read quickly, and written as it is read most quickly.

It is JSON, packed, with the documentation of every member, and one file names the endpoints of all services
there are: reading that is a fifteenth of a start. ``python -m service.aws.botocore_data FOLDER`` writes what
a start reads, without all that. Where ``AWS_DATA_PATH`` names the folder, it is read from there, and what is
not in it from botocore itself.
"""

from __future__ import annotations

import gzip
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from botocore.loaders import JSONFileLoader, Loader

# All that clients are made of; to know every service, botocore would look into hundreds of folders.
SERVICES: Final = ("cloudtrail", "logs", "s3", "sqs", "sts")
_DESCRIPTIONS: Final = ("service-2", "endpoint-rule-set-1")
_ENDPOINTS: Final = "endpoints"


class _Files(JSONFileLoader):
    """Reads files as botocore does, in a fifth of the time."""

    def load_file(self, file_path: str) -> Any:
        """What a file holds whose ending is left out, None if there is none."""
        for ending, plain in ((".json", bytes), (".json.gz", gzip.decompress)):
            try:
                return msgspec.json.decode(plain(Path(file_path + ending).read_bytes()))
            except FileNotFoundError:
                continue
        return None


class ServiceLoader(Loader):
    """botocore's loader for our own services; ``search_path`` as in ``AWS_DATA_PATH``."""

    FILE_LOADER_CLASS = _Files

    def __init__(self, search_path: str | None = None) -> None:
        super().__init__(extra_search_paths=search_path.split(os.pathsep) if search_path else None)

    def list_available_services(self, type_name: str) -> list[str]:
        """Ours."""
        del type_name
        return list(SERVICES)


@cache
def loader_of(search_path: str | None) -> ServiceLoader:
    """The one loader of a process, which reads each file once."""
    return ServiceLoader(search_path)


def write(folder: Path) -> None:
    """Write what making and using a client reads, below ``folder``."""
    loader = ServiceLoader()
    for service in SERVICES:
        for kind in _DESCRIPTIONS:
            version = loader.determine_latest_version(service, kind)
            name = f"{service}/{version}/{kind}"
            _write(folder / f"{name}.json", _undocumented(loader.load_data(name)))
    endpoints = loader.load_data(_ENDPOINTS)
    for partition in endpoints["partitions"]:
        known = partition["services"]
        partition["services"] = {name: known[name] for name in known if name in SERVICES}
    _write(folder / f"{_ENDPOINTS}.json", endpoints)


def _undocumented(description: dict[str, Any]) -> dict[str, Any]:
    """Without the texts about operations, shapes and rules."""
    large = ("operations", "shapes", "rules")
    return {name: _stripped(part) if name in large else part for name, part in description.items()}


def _stripped(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _stripped(inner)
            for name, inner in part.items()
            if name != "documentation" or not isinstance(inner, str)
        }
    return [_stripped(inner) for inner in part] if isinstance(part, list) else part


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(data))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
