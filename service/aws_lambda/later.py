"""Modules that libraries import for what is never asked of them here: loaded when somebody first uses one."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from importlib.util import LazyLoader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def load_later(*names: str) -> None:
    """From now on, importing a module of one of these names loads it no sooner than something of it is read.

    As the standard library means it (https://docs.python.org/3/library/importlib.html#importlib.util.LazyLoader).
    """
    sys.meta_path.insert(0, _Later(frozenset(names)))


class _Later(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the path holds under one of our names, to be loaded later; None: others find it."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
