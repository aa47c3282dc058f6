"""Policy variables: `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters themselves.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smas_emulator.iam.context import Context

_KEY = r"[^\s*?${},'](?:[^*?${},']*[^\s*?${},'])?"  # a tag's key may have spaces within
_VARIABLE = re.compile(rf"\$\{{(?:([*?$])|({_KEY})(?:,\s*'([^']*)')?)\}}")


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that is meant to the letter: a `*` in it is no wildcard."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A place for the value of a condition key, given in lower case, or for `default` where it has none."""

    key: str
    default: str | None = None

    def value(self, context: Context) -> str | None:
        """What the request says; None where that is nothing, or more than one thing."""
        value = context.single(self.key)
        return self.default if value is None else value


Part: TypeAlias = str | Verbatim | Variable


def parts(text: str, *, variables: bool) -> tuple[Part, ...]:
    """A value of a policy, taken apart; all of it is plain text in a document without `variables`.

    Raises `ValueError` for a `${` that begins no variable.
    """
    if not variables or "${" not in text:
        return (text,) if text else ()
    found: list[Part] = []
    end = 0
    for variable in _VARIABLE.finditer(text):
        found.append(_plain(text, end, variable.start()))
        character, key, default = variable.groups()
        found.append(Verbatim(character) if character else Variable(key.lower(), default))
        end = variable.end()
    found.append(_plain(text, end, len(text)))
    return tuple(part for part in found if part)


def _plain(text: str, start: int, end: int) -> str:
    plain = text[start:end]
    if "${" in plain:
        msg = f"{text!r} has a ${{ that begins no policy variable"
        raise ValueError(msg)
    return plain


class Text:
    """Plain text with places for variables; `fixed` is the text itself where there are none."""

    __slots__ = ("_parts", "fixed")

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = tuple(part.text if isinstance(part, Verbatim) else part for part in parts)
        plain = [part for part in self._parts if isinstance(part, str)]
        self.fixed = "".join(plain) if len(plain) == len(self._parts) else None

    @property
    def beginning(self) -> str:
        """What it begins with, whatever the variables are."""
        if self.fixed is not None:
            return self.fixed
        return self._parts[0] if isinstance(self._parts[0], str) else ""

    @property
    def ending(self) -> str:
        """What it ends with, whatever the variables are."""
        if self.fixed is not None:
            return self.fixed
        return self._parts[-1] if isinstance(self._parts[-1], str) else ""

    def filled(self, context: Context) -> str | None:
        """The text with the values of a request; None where a variable has none."""
        if self.fixed is not None:
            return self.fixed
        filled = []
        for part in self._parts:
            value = part if isinstance(part, str) else part.value(context)
            if value is None:
                return None
            filled.append(value)
        return "".join(filled)
