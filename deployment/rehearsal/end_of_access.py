"""How long it takes until somebody is refused: whoever is barred goes on trying, by every way they have."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PAUSE: Final = 0.02
# Refused once is not refused: so many tries after it must be, too.
_STAYS: Final = 10


def seconds_until_refused(
    ways: Mapping[str, Callable[[], bool]], command: Callable[[], object], *, patience: float = 120.0
) -> dict[str, float]:
    """From the start of `command` to the first refusal, by way; each says whether it was let in.

    Raises `DeploymentError` if one is refused before, is let in again after, or is not refused in `patience`.
    """
    for name, let_in in ways.items():
        if not let_in():
            message = f"{name} is refused before anybody is barred: nothing can be measured."
            raise DeploymentError(message)
    begun = time.monotonic()
    tries = [_Try(name, let_in, begun, patience) for name, let_in in ways.items()]
    for each in tries:
        each.start()
    try:
        command()
    finally:
        for each in tries:
            each.join()
    return {each.name: each.seconds() for each in tries}


class _Try(threading.Thread):
    """One way, tried again and again."""

    def __init__(self, name: str, let_in: Callable[[], bool], begun: float, patience: float) -> None:
        super().__init__(name=name, daemon=True)
        self._let_in, self._begun, self._patience = let_in, begun, patience
        self._refused: float | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Try until refused, then a little longer."""
        try:
            while time.monotonic() - self._begun < self._patience:
                if not self._let_in():
                    self._refused = time.monotonic() - self._begun
                    self._stay_out()
                    return
                time.sleep(_PAUSE)
        except Exception as error:  # noqa: BLE001 - raised where the measurement is asked for
            self._error = error

    def _stay_out(self) -> None:
        for _ in range(_STAYS):
            time.sleep(_PAUSE)
            if self._let_in():
                message = f"{self.name} was refused, and then let in again."
                raise DeploymentError(message)

    def seconds(self) -> float:
        """When it was refused."""
        if self._error is not None:
            raise self._error
        if self._refused is None:
            message = f"{self.name} is let in, {self._patience:.0f} seconds after the command began."
            raise DeploymentError(message)
        return self._refused
