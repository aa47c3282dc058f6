"""Conditions: what a statement asks of the values in a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and, for
several values,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from smas_emulator.iam.errors import UnknownOperator
from smas_emulator.iam.operators import OPERATORS

if TYPE_CHECKING:
    from smas_emulator.iam.context import Context
    from smas_emulator.iam.operators import Comparison

_IF_EXISTS = "IfExists"


class Quantifier(Enum):
    """How many of a key's values must meet a condition."""

    NONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key, with the values that the key's are compared with: any of them will do.

    A negated operator is met by a value that equals none of them.
    """

    key: str
    wanted: tuple[Comparison, ...]
    negated: bool = False
    if_exists: bool = False
    quantifier: Quantifier = Quantifier.NONE

    def holds(self, context: Context) -> bool:
        """Whether the request meets it.

        Without the key a negated operator holds and any other does not, unless it is `IfExists`; a
        quantified one holds for all of no values, and not for any of them. AWS demands a quantifier for keys
        with several values; without one, any value may match, and a negated operator looks at all.
        """
        values = context.values(self.key)
        if not values:
            if self.quantifier is Quantifier.NONE:
                return self.negated or self.if_exists
            return self.quantifier is Quantifier.ALL or self.if_exists
        if len(values) == 1:
            return self._met_by(values[0], context)
        if self.quantifier is Quantifier.ALL or (self.negated and self.quantifier is Quantifier.NONE):
            return all(self._met_by(value, context) for value in values)
        return any(self._met_by(value, context) for value in values)

    def _met_by(self, value: str, context: Context) -> bool:
        # A loop and not `any`: every request comes by here, and a generator costs twice as much.
        for compares in self.wanted:
            if compares(value, context):
                return not self.negated
        return self.negated


@dataclass(frozen=True, slots=True)
class Presence:
    """`Null`: whether the key may be absent (`true`) or there (`false`)."""

    key: str
    absent: frozenset[bool]

    def holds(self, context: Context) -> bool:
        """Whether the request meets it."""
        return (not context.values(self.key)) in self.absent


def condition(written: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition | Presence:
    """The condition that `{written: {key: values}}` asks for.

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
        key=key.lower(),
        wanted=tuple(operator.comparison(value, variables) for value in values),
        negated=operator.negated,
        if_exists=name.endswith(_IF_EXISTS),
        quantifier=quantifier,
    )
