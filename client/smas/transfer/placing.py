"""Making a name hold a blob's bytes: by a hard link, a copy, or the file itself."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from smas.retries import Stop

NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_COPY_BYTES: Final = 64 << 20


def bring(blob: Path, folder: int, name: str, how: str, mode: int, stop: Stop) -> None:
    """Make ``name`` in ``folder`` hold the blob's bytes."""
    try:
        if how == "move":
            os.rename(blob, name, dst_dir_fd=folder)
            os.chmod(name, mode, dir_fd=folder)
            return
        if how == "link":
            os.link(blob, name, dst_dir_fd=folder, follow_symlinks=False)
            return
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
    source = os.open(blob, os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(name, NEW_FILE, mode, dir_fd=folder)
        try:
            _copy(source, target, stop)
        finally:
            os.close(target)
    finally:
        os.close(source)


def _copy(source: int, target: int, stop: Stop) -> None:
    """All bytes, inside the kernel; a file system that can shares the blocks instead."""
    if hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(source, target, _COPY_BYTES):
                stop.check()
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
                raise
        else:
            return
        os.lseek(source, 0, os.SEEK_SET)
        os.ftruncate(target, 0)
        os.lseek(target, 0, os.SEEK_SET)
    while data := os.read(source, 1 << 20):
        stop.check()
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
