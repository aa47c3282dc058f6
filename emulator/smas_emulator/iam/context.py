"""What a request says of itself: condition keys and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Values: TypeAlias = Mapping[str, str | tuple[str, ...]]


class Context:
    """Values by condition key, whatever the case of its letters.

    Names of condition keys are not case-sensitive, and neither are the tag keys in them
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html). What the
    request does not say is looked up in `otherwise`, which is asked once, when it is first needed.
    """

    __slots__ = ("_otherwise", "_rest", "_values")

    def __init__(self, values: Values, otherwise: Callable[[], Values] = dict) -> None:
        self._values = {key.lower(): value for key, value in values.items()}
        self._otherwise = otherwise
        self._rest: dict[str, str | tuple[str, ...]] | None = None

    def values(self, key: str) -> tuple[str, ...]:
        """The values of a key, given in lower case; none where the request does not have it."""
        value = self._value(key)
        return (value,) if isinstance(value, str) else value

    def single(self, key: str) -> str | None:
        """The value of a key that has exactly one, else None: only such a key can be a policy variable.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        """
        value = self._value(key)
        if isinstance(value, str):
            return value
        return value[0] if len(value) == 1 else None

    def _value(self, key: str) -> str | tuple[str, ...]:
        value = self._values.get(key)
        if value is None:
            if self._rest is None:
                self._rest = {name.lower(): each for name, each in self._otherwise().items()}
            value = self._rest.get(key, ())
        return value


NOTHING = Context({})
