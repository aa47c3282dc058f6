"""A process that is killed: stores that stop for good before their n-th call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

if TYPE_CHECKING:
    from service.ports import Workspace


class Killed(BaseException):
    """kill -9: nothing catches it, nothing after it happens."""


@dataclass
class Fuse:
    """Lets ``calls`` calls through and kills the next."""

    calls: int

    def burn(self) -> None:
        """One more call is about to happen."""
        if self.calls <= 0:
            raise Killed
        self.calls -= 1


class Mortal:
    """Any store, until the fuse has burnt down."""

    def __init__(self, inner: object, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._fuse.burn()
            return method(*arguments, **named)

        return call


def mortal_workspace(workspace: Workspace, fuse: Fuse) -> Workspace:
    """The workspace of a process that dies when the fuse has burnt down."""
    objects: Any = Mortal(workspace.objects, fuse)
    blobs: Any = Mortal(workspace.blobs, fuse)
    return replace(workspace, objects=objects, blobs=blobs)
