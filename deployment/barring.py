"""Who is barred, in the places that must agree: the variable's file, the buckets' and the personas' policies.

Each policy has one statement that refuses everything to sessions with certain source identities
(`infra/policies/bucket.json`, `infra/policies/barred.json`). Here it is changed where it is, so that it holds
within seconds and not after a run of Terraform; the file makes the next run of Terraform write the same.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deployment.store import Aws, Store

STATEMENT: Final = "TheBarredAreRefused"
# In every statement, so that one that bars nobody is valid; a source identity has at least two characters.
NOBODY: Final = "-"
# As many as infra/variables.tf allows.
MOST: Final = 100
_IDENTITY: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
# The verifier's own; without it nothing new could be read.
_NEVER: Final = "smas-verifier"
PERSONAS: Final = ("approver", "auditor", "compliance", "custodian", "data-scientist", "deployer")
FILE: Final = "barred.auto.tfvars.json"
_VARIABLE: Final = "barred_identities"


def checked(identity: str) -> str:
    """The identity, if it can be barred. Raises `DeploymentError`."""
    if not _IDENTITY.fullmatch(identity):
        message = f"{identity!r} is no source identity: 2 to 64 letters, digits and _+=,.@-"
        raise DeploymentError(message)
    if identity == _NEVER:
        message = (
            f"{identity} is the verifier: barred, it would leave everything new unverified and unreadable."
        )
        raise DeploymentError(message)
    return identity


def barred_in(policy: str, where: str) -> frozenset[str]:
    """Whom a policy bars. Raises `DeploymentError` if it has not the statement."""
    named = _condition(json.loads(policy), where)["aws:SourceIdentity"]
    return frozenset([named] if isinstance(named, str) else named) - {NOBODY}


def with_barred(policy: str, barred: Iterable[str], where: str) -> str:
    """The policy, barring these and nobody else; all else in it stays."""
    document = json.loads(policy)
    _condition(document, where)["aws:SourceIdentity"] = [NOBODY, *sorted(barred)]
    return json.dumps(document, separators=(",", ":"))


def _condition(document: dict[str, Any], where: str) -> dict[str, Any]:
    for statement in document["Statement"]:
        if statement.get("Sid") == STATEMENT:
            condition = statement.get("Condition", {}).get("StringEquals")
            if isinstance(condition, dict) and "aws:SourceIdentity" in condition:
                return condition
    message = (
        f"The policy of {where} has no statement {STATEMENT} as it must be: it is of an older "
        "version, or was changed by somebody. Deploy first: make deploy"
    )
    raise DeploymentError(message)


class Place(Protocol):
    """Where it is written who is barred."""

    @property
    def name(self) -> str:
        """What people call it."""

    def barred(self) -> frozenset[str]:
        """Who is barred there now."""

    def change(self, change: Callable[[frozenset[str]], frozenset[str]]) -> bool:
        """Bar those that `change` makes of those; whether that made a difference."""


@dataclass(frozen=True, slots=True)
class BucketPolicy:
    """The policy of a bucket: refuses whatever is in it, to URLs that were signed before, too."""

    s3: Any
    bucket: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"the bucket {self.bucket}"

    def barred(self) -> frozenset[str]:
        """Who is barred there now."""
        return barred_in(self._policy(), self.name)

    def change(self, change: Callable[[frozenset[str]], frozenset[str]]) -> bool:
        """Bar those that `change` makes of those; whether that made a difference."""
        policy = self._policy()
        before = barred_in(policy, self.name)
        after = change(before)
        if after != before:
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy=with_barred(policy, after, self.name))
        return after != before

    def _policy(self) -> str:
        return str(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])


@dataclass(frozen=True, slots=True)
class PersonaPolicies:
    """The policy `barred` of every persona: refuses all else that a session may do, as reading the audit."""

    iam: Any
    roles: tuple[str, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return "the personas"

    def barred(self) -> frozenset[str]:
        """Who is barred in every one of them."""
        everywhere = [barred_in(self._policy(role), role) for role in self.roles]
        return frozenset.intersection(*everywhere)

    def change(self, change: Callable[[frozenset[str]], frozenset[str]]) -> bool:
        """Bar those that `change` makes of those, role by role; whether that made a difference.

        Each role is tried. Raises `DeploymentError` that names those that could not be changed.
        """
        changed, failed = False, []
        for role in self.roles:
            try:
                changed |= self._change(role, change)
            except (BotoCoreError, ClientError, DeploymentError) as error:
                failed.append(f"{role}: {error}")
        if failed:
            raise DeploymentError("; ".join(failed))
        return changed

    def _change(self, role: str, change: Callable[[frozenset[str]], frozenset[str]]) -> bool:
        policy = self._policy(role)
        before = barred_in(policy, role)
        after = change(before)
        if after != before:
            text = with_barred(policy, after, role)
            self.iam.put_role_policy(RoleName=role, PolicyName="barred", PolicyDocument=text)
        return after != before

    def _policy(self, role: str) -> str:
        # botocore decodes IAM's documents.
        document = self.iam.get_role_policy(RoleName=role, PolicyName="barred")["PolicyDocument"]
        return json.dumps(document)


@dataclass(frozen=True, slots=True)
class VariableFile:
    """The value of Terraform's variable, for the next `terraform apply`; it belongs into the repository."""

    path: Path

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.path)

    def notes(self) -> dict[str, str]:
        """What is said of each of the barred."""
        try:
            held = json.loads(self.path.read_text(encoding="utf-8"))[_VARIABLE]
            return {str(identity): str(note) for identity, note in held.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            message = f'{self.path} must be {{"{_VARIABLE}": {{identity: note}}}}, which it is not: {error!r}'
            raise DeploymentError(message) from error

    def barred(self) -> frozenset[str]:
        """Who is barred there now."""
        return frozenset(self.notes())

    def add(self, identity: str, note: str) -> bool:
        """Bar somebody more; whether that made a difference. Raises `DeploymentError` if it is full."""
        notes = self.notes()
        if identity in notes:
            return False
        self._write({**notes, identity: note})
        return True

    def remove(self, identity: str) -> bool:
        """Bar somebody no more; whether that made a difference."""
        notes = self.notes()
        if notes.pop(identity, None) is None:
            return False
        self._write(notes)
        return True

    def _write(self, notes: dict[str, str]) -> None:
        if len(notes) > MOST:
            message = (
                f"{self.path} would hold {len(notes)}, and {MOST} are the most: take out those whose "
                "sessions are long over (python -m deployment barred lists them, unbar takes one out)."
            )
            raise DeploymentError(message)
        text = json.dumps({_VARIABLE: dict(sorted(notes.items()))}, indent=2) + "\n"
        # Whole or not at all.
        with tempfile.NamedTemporaryFile(
            "w", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False, encoding="utf-8"
        ) as file:
            made = Path(file.name)
            try:
                file.write(text)
                file.flush()
                made.chmod(0o644)
                made.replace(self.path)
            finally:
                made.unlink(missing_ok=True)


def variable_file(store: Store) -> VariableFile | None:
    """The file of a store's variable; the local stack has none."""
    return None if store.infra is None else VariableFile(store.infra / FILE)


def policies(store: Store, aws: Aws) -> list[Place]:
    """The policies that bar people, the bytes' first."""
    places: list[Place] = [BucketPolicy(aws.client("s3"), store.bucket)]
    if store.copy is not None:
        places.append(BucketPolicy(aws.client("s3", store.copy.region), store.copy.bucket))
    places.append(PersonaPolicies(aws.client("iam"), tuple(store.role(persona) for persona in PERSONAS)))
    return places
