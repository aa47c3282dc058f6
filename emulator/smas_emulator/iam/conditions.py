"""Conditions: what a statement asks of the values in a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and, for
several values,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from smas_emulator.iam.errors import Incomparable, UnknownOperator
from smas_emulator.iam.operators import OPERATORS

if TYPE_CHECKING:
    from smas_emulator.iam.context import Context
    from smas_emulator.iam.operators import Comparison

LOG = logging.getLogger(__name__)
_IF_EXISTS = "IfExists"


class Quantifier(Enum):
    """How many of a key's values must meet a condition."""

    NONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key, with the values that the key's are compared with: any of them will do.

    A negated operator is met by a value that equals none of them. What cannot be decided holds where
    `holds_undecided` says so: in a Deny, and not in an Allow.
    """

    operator: str
    key: str
    wanted: tuple[Comparison, ...]
    holds_undecided: bool
    negated: bool = False
    if_exists: bool = False
    quantifier: Quantifier = Quantifier.NONE

    def holds(self, context: Context) -> bool:
        """Whether the request meets it.

        Without the key a negated operator holds and any other does not, unless it is `IfExists`; a
        quantified one holds for all of no values, and not for any of them, and then an empty text is no
        value. Keys with several values need a quantifier: without one it cannot be decided.
        """
        value = context.value(self.key)
        if isinstance(value, str):
            if self.quantifier is Quantifier.NONE:
                return self._met_by(value, context)
            value = (value,) if value else ()
        if not value:
            if self.quantifier is Quantifier.NONE:
                return self.negated or self.if_exists
            return self.quantifier is Quantifier.ALL or self.if_exists
        if self.quantifier is Quantifier.NONE:
            return self._undecided("has several values and needs ForAllValues or ForAnyValue")
        if self.quantifier is Quantifier.ALL:
            return all(self._met_by(each, context) for each in value)
        return any(self._met_by(each, context) for each in value)

    def _met_by(self, value: str, context: Context) -> bool:
        # A loop and not `any`: every request comes by here, and a generator costs twice as much.
        try:
            for compares in self.wanted:
                if compares(value, context):
                    return not self.negated
        except Incomparable:
            return self._undecided("has a value in the request that is none of its kind")
        return self.negated

    def _undecided(self, why: str) -> bool:
        counts = "met, in a Deny" if self.holds_undecided else "not met, in an Allow"
        LOG.warning("%s cannot be decided and counts as %s: %s %s.", self.operator, counts, self.key, why)
        return self.holds_undecided


@dataclass(frozen=True, slots=True)
class Presence:
    """`Null`: whether the key may be absent (`true`) or there (`false`)."""

    key: str
    absent: frozenset[bool]

    def holds(self, context: Context) -> bool:
        """Whether the request meets it."""
        return (context.value(self.key) == ()) in self.absent


def condition(
    written: str, key: str, values: tuple[str, ...], *, allow: bool, variables: bool
) -> Condition | Presence:
    """The condition that `{written: {key: values}}` asks for, in a statement that may `allow` or denies.

    Raises `UnknownOperator`, and another `ValueError` for a value that the operator cannot take.
    """
    if written == "Null":
        wanted = {value.lower() for value in values}
        if not wanted <= {"true", "false"}:
            msg = f"Null takes true or false, not {', '.join(values)}"
            raise ValueError(msg)
        return Presence(key.lower(), frozenset(value == "true" for value in wanted))
    quantifier, name = Quantifier.NONE, written
    if ":" in written:
        before, _, name = written.partition(":")
        if before not in {Quantifier.ALL.value, Quantifier.ANY.value}:
            raise UnknownOperator(written)
        quantifier = Quantifier(before)
    operator = OPERATORS.get(name.removesuffix(_IF_EXISTS))
    if operator is None:
        raise UnknownOperator(written)
    return Condition(
        operator=written,
        key=key.lower(),
        wanted=tuple(operator.comparison(value, variables) for value in values),
        holds_undecided=not allow,
        negated=operator.negated,
        if_exists=name.endswith(_IF_EXISTS),
        quantifier=quantifier,
    )
