"""A folder and what is below it, opened step by step and never through a symbolic link.

What is written through the descriptors that come from here stays inside, whatever is planted there.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from smas.errors import LocalFault

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FolderTree:
    """The folder ``root``, made if it does not exist; close it when done. Paths are relative, with ``/``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            message = f"{root} can't be used as a folder: {error.strerror}"
            raise LocalFault(message) from error

    def close(self) -> None:
        """Close the root."""
        os.close(self.descriptor)

    def parent(self, path: str, *, make: bool) -> tuple[int, str]:
        """An open folder, which the caller closes, and the name in it."""
        *folders, name = path.split("/")
        return self.folder(tuple(folders), make=make), name

    def folder(self, segments: tuple[str, ...], *, make: bool) -> int:
        """Open a folder below the root, step by step, never through a symbolic link.

        Raises ``FileNotFoundError`` unless ``make``, ``LocalFault`` where something else is in the way.
        """
        folder = os.dup(self.descriptor)
        try:
            for depth, segment in enumerate(segments, start=1):
                if make:
                    try:
                        os.mkdir(segment, dir_fd=folder)
                    except FileExistsError:
                        pass
                    except OSError as error:
                        raise local_fault(error, self.root.joinpath(*segments[:depth])) from error
                below = self._open_folder(segment, folder, self.root.joinpath(*segments[:depth]))
                os.close(folder)
                folder = below
        except BaseException:
            os.close(folder)
            raise
        return folder

    @staticmethod
    def _open_folder(name: str, folder: int, shown: Path) -> int:
        try:
            return os.open(name, _FOLDER, dir_fd=folder)
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                message = (
                    f"{shown} is not a folder but a file or a symbolic link; nothing is written through it"
                )
                raise LocalFault(message, hint="move it away, or pull into another folder") from error
            raise local_fault(error, shown) from error

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty then. Raises ``LocalFault``."""
        segments = path.split("/")
        for depth in range(len(segments), 0, -1):
            folder = self.folder(tuple(segments[: depth - 1]), make=False)
            try:
                if depth == len(segments):
                    os.unlink(segments[-1], dir_fd=folder)
                else:
                    os.rmdir(segments[depth - 1], dir_fd=folder)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return
                raise local_fault(error, self.root / path) from error
            finally:
                os.close(folder)


def unlink_if_there(name: str, folder: int) -> None:
    """Remove a file of an open folder, if it is there."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def local_fault(error: OSError, path: Path) -> LocalFault:
    """What the operating system said of ``path``, as an error of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = f"the disk is full: {path} could not be written"
        return LocalFault(message, hint="free some space, then run the same command: it continues")
    return LocalFault(f"{path}: {error.strerror}")
