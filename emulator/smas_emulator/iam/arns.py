"""Patterns of ARNs: each of the six segments by itself, so a wildcard reaches over a colon in the last alone.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html says so of
resources, and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html of
conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smas_emulator.iam.patterns import Pattern
from smas_emulator.iam.variables import Variable, Verbatim, parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smas_emulator.iam.context import Context
    from smas_emulator.iam.variables import Part

COLONS = 5  # between the six segments; the last may have more


class ArnPattern:
    """A pattern with wildcards or variables before the last segment."""

    __slots__ = ("_parts", "_segments", "beginning")

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self._parts = parts
        self.beginning = Pattern(parts).beginning
        varies = any(isinstance(part, Variable) for part in parts)
        self._segments = None if varies else _segments(parts)

    def matches(self, text: str, context: Context) -> bool:
        """Whether an ARN fits, with the request's values in place of the variables."""
        segments = self._segments
        if segments is None:
            filled: list[Part] = []
            for part in self._parts:
                if not isinstance(part, Variable):
                    filled.append(part)
                    continue
                value = part.value(context)
                if value is None:
                    return False
                filled.append(Verbatim(value))
            segments = _segments(filled)
        found = text.split(":", COLONS)
        if not len(found) == len(segments) == COLONS + 1:
            return False
        return all(pattern.matches(each, context) for pattern, each in zip(segments, found, strict=True))


def arn_pattern(text: str, *, variables: bool) -> Pattern | ArnPattern:
    """The pattern as a policy writes it. Raises `ValueError` for a broken variable or too few segments."""
    written = parts(text, variables=variables)
    whole = Pattern(written)
    if whole.beginning.count(":") >= COLONS:
        return whole  # where only the last segment varies, it is the same, and faster
    if text.count(":") < COLONS and not any(isinstance(part, Variable) for part in written):
        msg = f"{text!r} is not an ARN, which has six parts"
        raise ValueError(msg)
    return ArnPattern(written)


def resource_pattern(text: str, *, complete: bool, variables: bool) -> Pattern | ArnPattern:
    """The same for a resource, which may be `*`.

    With `complete`, as in policies of callers, parts that an ARN lacks are `*`
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns).
    """
    if text == "*":
        return Pattern.of(text, variables=False)
    if complete and text.startswith("arn:"):
        plain = "".join(part for part in parts(text, variables=variables) if isinstance(part, str))
        text += ":*" * (COLONS - plain.count(":"))
    return arn_pattern(text, variables=variables)


def _segments(written: Iterable[Part]) -> tuple[Pattern, ...]:
    segments: list[list[Part]] = [[]]
    for part in written:
        if isinstance(part, Variable):
            segments[-1].append(part)
            continue
        kind, text = (Verbatim, part.text) if isinstance(part, Verbatim) else (str, part)
        first, *others = text.split(":", COLONS + 1 - len(segments))
        segments[-1].append(kind(first))
        segments.extend([kind(other)] for other in others)
    return tuple(Pattern(segment) for segment in segments)
