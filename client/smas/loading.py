"""Loading models with the libraries that made them, each imported only when it is asked for."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from smas.errors import Invalid, NotFound, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from smas.results import Version

_INDEX = ".safetensors.index.json"


def choose(version: Version, path: str | None, endings: Sequence[str]) -> str:
    """``path``, or the only file of the version with one of ``endings``. Raises ``NotFound``, ``Invalid``."""
    paths = [file.path for file in version.files]
    if path is not None:
        if path not in paths:
            message = f"{version.reference} has no file {path!r}"
            raise NotFound(message, hint=f"it has: {', '.join(paths[:10])}")
        return path
    found = [path for path in paths if path.endswith(tuple(endings))]
    if len(found) == 1:
        return found[0]
    if not found:
        message = f"{version.reference} has no file that ends in {' or '.join(endings)}"
        raise NotFound(message, hint=f"it has: {', '.join(paths[:10])}")
    message = f"{version.reference} has {len(found)} such files: {', '.join(found[:10])}"
    raise Invalid(message, hint="name the one to load with path=")


def load_joblib(fetch: Callable[[str], Path], version: Version, path: str | None) -> Any:
    """See ``Store.load_joblib``."""
    joblib = _library("joblib", "joblib")
    return joblib.load(fetch(choose(version, path, (".joblib", ".joblib.gz", ".pkl"))))


def load_safetensors(
    fetch: Callable[[str], Path], version: Version, path: str | None, framework: str
) -> dict[str, Any]:
    """See ``Store.load_safetensors``."""
    library = _library(f"safetensors.{framework}", "safetensors")
    index = [file.path for file in version.files if file.path.endswith(_INDEX)]
    chosen = index[0] if path is None and len(index) == 1 else choose(version, path, (".safetensors",))
    if not chosen.endswith(_INDEX):
        return dict(library.load_file(fetch(chosen)))
    names = set(json.loads(fetch(chosen).read_text(encoding="utf-8"))["weight_map"].values())
    folder = PurePosixPath(chosen).parent
    tensors: dict[str, Any] = {}
    for name in sorted(names):
        tensors |= library.load_file(fetch(choose(version, str(folder / name), ())))
    return tensors


def load_torch(
    fetch: Callable[[str], Path], version: Version, path: str | None, *, map_location: Any, weights_only: bool
) -> Any:
    """See ``Store.load_torch``."""
    torch = _library("torch", "torch")
    chosen = choose(version, path, (".pt", ".pth", ".bin"))
    return torch.load(fetch(chosen), map_location=map_location, weights_only=weights_only)


def _library(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        message = f"this needs the library {error.name}, which is not installed"
        raise WrongUsage(message, hint=f"pip install 'smas[{extra}]'") from error
