"""Statements of a policy, read strictly and compiled.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smas_emulator.iam.arns import resource_pattern
from smas_emulator.iam.conditions import Condition, Presence, condition
from smas_emulator.iam.context import NOTHING
from smas_emulator.iam.errors import MalformedPolicy, UnknownOperator
from smas_emulator.iam.named_principals import EVERYBODY, NamedPrincipals
from smas_emulator.iam.patterns import Pattern

if TYPE_CHECKING:
    from smas_emulator.iam.arns import ArnPattern
    from smas_emulator.iam.context import Context

LOG = logging.getLogger(__name__)
_ELEMENTS = frozenset(
    [
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
        *("Resource", "NotResource", "Condition"),
    ]
)
_KINDS_OF_PRINCIPAL = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    `resources` is None where it names none: it is about the thing that the policy is attached to.
    `understood` is False where it has a condition operator that nobody knows, or one without values. Each of
    its resources begins with one of `beginnings`.
    """

    sid: str | None
    allow: bool
    principals: NamedPrincipals | None
    actions: tuple[Pattern, ...]
    not_actions: bool
    resources: tuple[Pattern | ArnPattern, ...] | None
    beginnings: tuple[str, ...]
    not_resources: bool
    conditions: tuple[Condition | Presence, ...]
    understood: bool

    def concerns(self, action: str) -> bool:
        """Whether it is about an action, given in lower case."""
        return any(pattern.matches(action, NOTHING) for pattern in self.actions) != self.not_actions

    def applies(self, resource: str, context: Context) -> bool:
        """Whether it is about this resource and its conditions hold.

        One that is not understood never allows, and denies whatever it is about.
        """
        if self.resources is not None:
            # A loop and not `any`: every request comes by here, and a generator costs twice as much.
            named = False
            if resource.startswith(self.beginnings):
                for pattern in self.resources:
                    if pattern.matches(resource, context):
                        named = True
                        break
            if named is self.not_resources:
                return False
        if not self.understood:
            return not self.allow
        for each in self.conditions:  # noqa: SIM110 - the same
            if not each.holds(context):
                return False
        return True


def statement(written: object, number: int, *, variables: bool) -> Statement:
    """The statement as JSON has it; `number` tells one without a Sid. Raises `MalformedPolicy`."""
    if not isinstance(written, Mapping):
        msg = f"Statement {number} must be a JSON object."
        raise MalformedPolicy(msg)
    sid = written.get("Sid")
    if not isinstance(sid, str | None):
        msg = f"Statement {number} needs a text for its Sid."
        raise MalformedPolicy(msg)
    place = f"Statement {sid or number}"
    if unknown := written.keys() - _ELEMENTS:
        msg = f"{place} has the unknown element {', '.join(sorted(map(str, unknown)))}."
        raise MalformedPolicy(msg)
    if written.get("Effect") not in ("Allow", "Deny"):
        msg = f"{place} needs an Effect, which is Allow or Deny."
        raise MalformedPolicy(msg)
    actions, not_actions = _either(written, "Action", place)
    if actions is None:
        msg = f"{place} needs an Action or a NotAction."
        raise MalformedPolicy(msg)
    for action in actions:
        if action != "*" and ":" not in action:
            msg = f"{place}: the action {action} needs its service before a colon."
            raise MalformedPolicy(msg)
    resources, not_resources = _either(written, "Resource", place)
    allow, principals = written["Effect"] == "Allow", _principals(written, place)
    conditions, understood = _conditions(
        written.get("Condition", {}), place, allow=allow, variables=variables
    )
    patterns = (
        None
        if resources is None
        else _patterns(resources, place, complete=principals is None, variables=variables)
    )
    return Statement(
        sid=sid,
        allow=allow,
        principals=principals,
        actions=tuple(Pattern.of(action.lower(), variables=False) for action in actions),
        not_actions=not_actions,
        resources=patterns,
        beginnings=tuple({pattern.beginning for pattern in patterns or ()}),
        not_resources=not_resources,
        conditions=conditions,
        understood=understood,
    )


def _either(written: Mapping[str, Any], name: str, place: str) -> tuple[tuple[str, ...] | None, bool]:
    """The texts of an element or of its `Not…`, and which it is; None where it has neither."""
    negated = f"Not{name}"
    if name in written and negated in written:
        msg = f"{place} has both {name} and {negated}."
        raise MalformedPolicy(msg)
    for each in (name, negated):
        if each in written:
            return _texts(written[each], f"{place}: {each}"), each == negated
    return None, False


def _texts(value: object, place: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str) and each for each in values):
        msg = f"{place} must be a text or a list of texts."
        raise MalformedPolicy(msg)
    return tuple(values)


def _patterns(
    texts: tuple[str, ...], place: str, *, complete: bool, variables: bool
) -> tuple[Pattern | ArnPattern, ...]:
    try:
        return tuple(resource_pattern(text, complete=complete, variables=variables) for text in texts)
    except ValueError as error:
        msg = f"{place}: {error}."
        raise MalformedPolicy(msg) from None


def _principals(written: Mapping[str, Any], place: str) -> NamedPrincipals | None:
    if "Principal" in written and "NotPrincipal" in written:
        msg = f"{place} has both Principal and NotPrincipal."
        raise MalformedPolicy(msg)
    negated = "NotPrincipal" in written
    if not negated and "Principal" not in written:
        return None
    if negated and written["Effect"] == "Allow":
        msg = f"{place} allows with NotPrincipal, which may only deny."
        raise MalformedPolicy(msg)
    named = written["NotPrincipal" if negated else "Principal"]
    if named == EVERYBODY:
        return NamedPrincipals(negated=negated, aws=frozenset({EVERYBODY}))
    if not isinstance(named, Mapping) or not named:
        msg = f"{place}: a principal is * or an object that says which kind it is of."
        raise MalformedPolicy(msg)
    if unknown := named.keys() - _KINDS_OF_PRINCIPAL:
        msg = f"{place} names principals of the unknown kind {', '.join(sorted(map(str, unknown)))}."
        raise MalformedPolicy(msg)
    kinds = {kind: frozenset(_texts(value, f"{place}: {kind}")) for kind, value in named.items()}
    for kind, names in kinds.items():
        for name in names:
            if ("*" in name or "?" in name) and (kind, name) != ("AWS", EVERYBODY):
                msg = f"{place}: the principal {name} has a wildcard, which matches no part of a name."
                raise MalformedPolicy(msg)
    return NamedPrincipals(negated, kinds.get("AWS", frozenset()), kinds.get("Service", frozenset()))


def _conditions(
    written: object, place: str, *, allow: bool, variables: bool
) -> tuple[tuple[Condition | Presence, ...], bool]:
    """The conditions, and whether all of them are understood."""
    if not isinstance(written, Mapping):
        msg = f"{place}: a Condition is an object of operators."
        raise MalformedPolicy(msg)
    conditions: list[Condition | Presence] = []
    understood = True
    for operator, tests in written.items():
        if not isinstance(tests, Mapping):
            msg = f"{place}: {operator} needs an object of keys and values."
            raise MalformedPolicy(msg)
        try:
            for key, value in tests.items():
                values = _values(value, f"{place}: {key}")
                conditions.append(condition(operator, key, values, allow=allow, variables=variables))
                # https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html:
                # such a condition holds but gives no permission; with a quantifier it has a meaning.
                if not values and ":" not in operator:
                    understood = False
                    LOG.warning("%s is not understood: %s has no values for %s.", place, operator, key)
        except UnknownOperator:
            understood = False
            LOG.warning("%s is not understood: unknown condition operator %r.", place, operator)
        except ValueError as error:
            if isinstance(error, MalformedPolicy):
                raise
            msg = f"{place}: {operator} cannot be read: {error}."
            raise MalformedPolicy(msg) from None
    # Presence is the quickest to tell, and all have to hold.
    return tuple(sorted(conditions, key=lambda each: isinstance(each, Condition))), understood


def _values(value: object, place: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str | bool | int | float) for each in values):
        msg = f"{place} takes texts, numbers or booleans."
        raise MalformedPolicy(msg)
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)
