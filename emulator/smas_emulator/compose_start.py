"""One start of the stack in containers: builds, starts, waits, and knows why if it does not come up."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smas_emulator.errors import StackError
from smas_emulator.log_lines import last_meaningful_line
from smas_emulator.programs import EMULATOR, SERVICE, SHIPPER, WORKER
from smas_emulator.readiness import probe, shown
from smas_emulator.supervisor import SERVICE_SECONDS, TITLES

if TYPE_CHECKING:
    from smas_emulator.engine import Compose
    from smas_emulator.state import StateDirectory
    from smas_emulator.supervisor import Addresses, Say

PROVISION = "provision"
# Compose's name of each container that is to stay, and the name of its log.
LOGS = {"emulator": EMULATOR, SHIPPER: SHIPPER, SERVICE: SERVICE, WORKER: WORKER}
_TITLES = {"emulator": TITLES[EMULATOR], PROVISION: "The provisioning", **TITLES}
_POLL_SECONDS = 0.5


def is_up(condition: str) -> bool:
    """Whether the engine's words for a container mean that it runs."""
    return condition.startswith("Up")


@dataclass(slots=True)
class ComposeStart:
    """Starts what is missing; without a service address, the local AWS alone.

    `anew` is false when the emulator runs already. It then stays as it is: another container of it would have
    forgotten everything.
    """

    compose: Compose
    state: StateDirectory
    addresses: Addresses
    anew: bool
    say: Say
    _begins: dict[str, int] = field(default_factory=dict, init=False)

    def run(self) -> None:
        """Return once all is ready. Raises `StackError` with the cause, as far as the logs tell."""
        programs = [] if self.addresses.service is None else [SHIPPER, SERVICE, WORKER]
        # The worker's image is the service's.
        self._build([*(["emulator"] if self.anew else []), *(programs and [SERVICE])])
        self._begins = {name: self._size(name) for name in ("emulator", PROVISION, *programs)}
        self.say("starting the containers, the local AWS first")
        started = self.compose.run("up", "--detach", "--no-build", PROVISION, *programs)
        if started.code:
            told = self.compose.conditions()
            for name in self._begins:
                if not _is_well(name, told.get(name, "Created")):
                    raise StackError(self._cause(name, started.last_words))
            msg = f"Compose failed: {started.last_words}."
            raise StackError(msg)
        self.say("waiting until everything is ready")
        self._wait()

    def _build(self, names: list[str]) -> None:
        if not names:
            return
        self.say("building the images (the first time takes some minutes)")
        built = self.compose.run("build", *names)
        if built.code:
            msg = f"The images could not be built: {built.last_words}."
            raise StackError(msg)
        if self.anew:
            self.compose.keep_what_was_built()

    def _wait(self) -> None:
        deadline = time.monotonic() + SERVICE_SECONDS
        while waiting := self._not_ready():
            for name, words in waiting.items():
                if words.startswith(("Exited", "Dead")) or time.monotonic() > deadline:
                    raise StackError(self._cause(name, words))
            time.sleep(_POLL_SECONDS)

    def _not_ready(self) -> dict[str, str]:
        """What is not ready yet, and what is known of it."""
        told = self.compose.conditions()
        waiting = {
            name: told.get(name, "") for name in self._begins if not _is_well(name, told.get(name, ""))
        }
        if SERVICE in self._begins and SERVICE not in waiting:
            # As natively: whether it is ready, not only alive.
            answer = probe(f"{self.addresses.service}/readyz")
            if answer.status != http.client.OK:
                waiting[SERVICE] = answer.reason
        return waiting

    def _cause(self, name: str, words: str) -> str:
        log = self.state.logs / f"{LOGS.get(name, name)}.log"
        said = last_meaningful_line(log, self._begins[name]) if log.exists() else None
        cause = (said or words or "it wrote nothing").rstrip(".")
        return f"{_TITLES[name]} is not ready: {cause}; its log is {shown(str(log))}."

    def _size(self, name: str) -> int:
        log = self.state.logs / f"{LOGS.get(name, name)}.log"
        return log.stat().st_size if log.exists() else 0


def _is_well(name: str, condition: str) -> bool:
    if name == PROVISION:
        return condition.startswith("Exited (0)")
    # The service is asked itself.
    return is_up(condition) if name == SERVICE else "(healthy)" in condition
