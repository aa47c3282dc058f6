"""`bar`, `unbar`, `barred`: end somebody's access at once, lift that, and see who is barred where."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from deployment import options, people, store
from deployment.barring import checked, policies, variable_file
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment.barring import Place
    from deployment.store import Aws, Store

_BAR = """\
End somebody's access at once: sign-in, live tokens, sessions, and every presigned URL that is out there.

In this order: the file of Terraform's variable barred_identities, so that the next apply does not let them in
again (commit it); the policies of the models' bucket, of its copy, and of the personas; the user pool, where
the user is disabled and their refresh tokens are revoked. Each step is tried, whatever became of the one
before. Running it again is harmless.

examples:
  python -m deployment bar ds-fraud --note TICKET-4711 --vars our.tfvars
  python -m deployment bar --identity 4h1c0example --vars our.tfvars      a machine, by its client id
  python -m deployment bar ds-fraud --local                               on the local stack
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the three commands."""
    parser = subparsers.add_parser(
        "bar",
        help="end somebody's access at once",
        description=_BAR,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _whom(parser)
    parser.add_argument("--note", default="", help="a word for whoever reads the list, as a ticket's number")
    parser.set_defaults(run=_run_bar)

    parser = subparsers.add_parser(
        "unbar",
        help="take somebody off the list of the barred",
        description="Take somebody off the list of the barred: they came back, or all is long over.",
    )
    _whom(parser)
    parser.add_argument("--enable", action="store_true", help="and let the user, who is named, sign in again")
    parser.set_defaults(run=_run_unbar)

    parser = subparsers.add_parser(
        "barred",
        help="who is barred, and whether file and AWS agree",
        description="Who is barred, and whether Terraform's variable, buckets and personas agree; 1 if not.",
    )
    store.add_arguments(parser)
    parser.set_defaults(run=_run_barred)


def _whom(parser: argparse.ArgumentParser) -> None:
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("user", nargs="?", metavar="USER", help="a user of the user pool, by name or sub")
    whom.add_argument(
        "--identity",
        metavar="ID",
        help="a source identity: a machine's client id, or the name of a person who comes through IAM",
    )
    store.add_arguments(parser)


def _run_bar(arguments: argparse.Namespace) -> int:
    which, aws = store.opened(arguments)
    bar(which, aws, user=arguments.user, identity=arguments.identity, note=arguments.note, say=_clock())
    return 0


def _run_unbar(arguments: argparse.Namespace) -> int:
    which, aws = store.opened(arguments)
    unbar(which, aws, user=arguments.user, identity=arguments.identity, enable=arguments.enable, say=_clock())
    return 0


def _run_barred(arguments: argparse.Namespace) -> int:
    which, aws = store.opened(arguments)
    lines, agree = listed(which, aws)
    print("\n".join(lines))
    return 0 if agree else 1


def _clock() -> Callable[[str], None]:
    begun = time.monotonic()
    return lambda text: options.say(f"[{time.monotonic() - begun:5.1f} s] {text}")


class _Steps:
    """Steps that are all tried; what failed is said at once, and once more at the end."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._failed: list[str] = []

    def take(self, what: str, done: Callable[[], object]) -> None:
        """Take one; `done` answers False where there was nothing to do."""
        try:
            changed = done()
        except (ClientError, BotoCoreError, DeploymentError, OSError) as error:
            self._failed.append(what)
            self._say(f"FAILED  {what}: {error}")
        else:
            self._say(f"{what}{' (as before)' if changed is False else ''}")

    def end(self) -> None:
        """Raise `DeploymentError` if anything failed."""
        if self._failed:
            message = f"Not done: {'; '.join(self._failed)}. Put right what is said above and run it again."
            raise DeploymentError(message)


def bar(
    which: Store,
    aws: Aws,
    *,
    user: str | None = None,
    identity: str | None = None,
    note: str = "",
    say: Callable[[str], None],
) -> str:
    """Bar a user of the pool or a source identity; return the source identity.

    Raises `DeploymentError` when a step failed, after all have been tried.
    """
    name, barred = _resolved(which, aws, user, identity)
    steps = _Steps(say)
    file = variable_file(which)
    if file is not None:
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        words = ", ".join(filter(None, (name, note, f"since {since}")))
        steps.take(f"{file.name} names {barred}; commit it", lambda: file.add(barred, words))
    for place in policies(which, aws):
        steps.take(f"{place.name}: every session of {barred} is refused", _changing(place, {barred}, set()))
    if name is not None:
        known = name
        steps.take(
            f"the user pool: {known} can neither sign in nor refresh a token",
            lambda: people.shut_out(aws.client("cognito-idp"), which.user_pool_id, known),
        )
    steps.end()
    return barred


def unbar(
    which: Store,
    aws: Aws,
    *,
    user: str | None = None,
    identity: str | None = None,
    enable: bool = False,
    say: Callable[[str], None],
) -> None:
    """Take a user of the pool or a source identity off the list; `enable` opens the user pool again.

    Raises `DeploymentError` when a step failed, after all have been tried.
    """
    if enable and user is None:
        raise DeploymentError("--enable is for a user of the pool: name the user instead of --identity.")
    name, barred = _resolved(which, aws, user, identity)
    steps = _Steps(say)
    file = variable_file(which)
    if file is not None:
        steps.take(f"{file.name} does not name {barred}; commit it", lambda: file.remove(barred))
    for place in policies(which, aws):
        steps.take(f"{place.name}: {barred} is not barred", _changing(place, set(), {barred}))
    if enable and name is not None:
        known = name
        steps.take(
            f"the user pool: {known} may sign in",
            lambda: people.let_in(aws.client("cognito-idp"), which.user_pool_id, known),
        )
    steps.end()


def listed(which: Store, aws: Aws) -> tuple[list[str], bool]:
    """Lines that say who is barred where, and whether all places agree."""
    file = variable_file(which)
    notes = file.notes() if file is not None else {}
    found = {place.name: place.barred() for place in policies(which, aws)}
    if file is not None:
        found[file.name] = file.barred()
    everybody = sorted(frozenset[str]().union(*found.values()))
    lines, agree = [], True
    for identity in everybody:
        absent = [name for name, barred in found.items() if identity not in barred]
        lines.append("  ".join(filter(None, (identity, notes.get(identity, "")))))
        if absent:
            agree = False
            lines.append(f"    but not in {', '.join(absent)}: bar --identity {identity}, or unbar it")
    return lines or ["nobody is barred"], agree


def _resolved(which: Store, aws: Aws, user: str | None, identity: str | None) -> tuple[str | None, str]:
    """The name in the user pool, if it is somebody there, and the source identity."""
    if user is None:
        return None, checked(identity or "")
    person = people.person(aws.client("cognito-idp"), which.user_pool_id, user)
    return person.name, checked(person.subject)


def _changing(place: Place, more: set[str], fewer: set[str]) -> Callable[[], bool]:
    return lambda: place.change(lambda before: (before | more) - fewer)
