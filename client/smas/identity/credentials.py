"""The file that remembers sign-ins: one entry a store, readable by its owner alone."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from filelock import FileLock

from smas.errors import LocalFault

if TYPE_CHECKING:
    from collections.abc import Iterator


class SignIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sign-in at one store.

    With a refresh token it renews itself at ``pool_url``; without one it lasts as long as its access token.
    """

    access_token: str
    refresh_token: str | None = None
    pool_url: str | None = None
    client_id: str | None = None
    username: str | None = None

    def __repr__(self) -> str:
        return f"SignIn(username={self.username!r})"


class _File(msgspec.Struct):
    current: str | None = None
    stores: dict[str, SignIn] = {}


class CredentialsFile:
    """The file at ``path``, mode 600; several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self) -> str | None:
        """The address of the store that was signed in to last."""
        return self._read().current

    def find(self, store: str) -> SignIn | None:
        """The sign-in at ``store``."""
        return self._read().stores.get(store)

    def keep(self, store: str, sign_in: SignIn, *, make_current: bool = False) -> None:
        """Remember a sign-in, in place of an earlier one at the same store."""
        with self.locked():
            held = self._read()
            held.stores[store] = sign_in
            if make_current:
                held.current = store
            self._write(held)

    def forget(self, store: str) -> None:
        """Forget a sign-in; the store stays the current one."""
        with self.locked():
            held = self._read()
            if held.stores.pop(store, None):
                self._write(held)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other process renews or changes the file meanwhile. May be entered again by the same thread.

        Raises ``LocalFault`` if this machine does not let us.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = self._lock()
            lock.acquire()
        except OSError as error:
            raise self._not_writable(error) from error
        try:
            yield
        finally:
            lock.release()

    def _lock(self) -> FileLock:
        return FileLock(self.path.with_suffix(".lock"), mode=0o600, is_singleton=True)

    def _read(self) -> _File:
        try:
            with self.path.open("rb") as file:
                mode, content = os.fstat(file.fileno()).st_mode, file.read()
        except FileNotFoundError:
            return _File()
        except OSError as error:
            message = f"{self.path} can't be read: {error.strerror}"
            raise LocalFault(message) from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            message = f"{self.path} holds credentials, but others than you may read it"
            hint = f"chmod 600 {self.path}; whoever else had access may have your tokens: smas logout"
            raise LocalFault(message, hint=hint)
        try:
            return msgspec.json.decode(content, type=_File)
        except msgspec.MsgspecError as error:
            message = f"{self.path} is damaged"
            raise LocalFault(message, hint="remove it and sign in again with `smas login`") from error

    def _write(self, held: _File) -> None:
        """Whole or not at all; mode 600 from the start."""
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(msgspec.json.format(msgspec.json.encode(held), indent=2))
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._not_writable(error) from error

    def _not_writable(self, error: OSError) -> LocalFault:
        message = f"{self.path} can't be written to: {error.strerror}"
        return LocalFault(message, hint="name another folder with SMAS_CONFIG")
