"""What a request says of itself: condition keys and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Values: TypeAlias = Mapping[str, str | tuple[str, ...]]


class Context:
    """Values by condition key, whatever the case of its letters: a text, or a tuple for one with several.

    Names of condition keys are not case-sensitive, and neither are the tag keys in them
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html). What the
    request does not say is looked up in `otherwise`, which is asked once, when it is first needed.
    """

    __slots__ = ("_otherwise", "_rest", "_values")

    def __init__(self, values: Values, otherwise: Callable[[], Values] = dict) -> None:
        self._values = {key.lower(): value for key, value in values.items()}
        self._otherwise = otherwise
        self._rest: dict[str, str | tuple[str, ...]] | None = None

    def value(self, key: str) -> str | tuple[str, ...]:
        """The value of a key, given in lower case; an empty tuple where the request does not have it.

        Several values that are all empty are none
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html).
        """
        value = self._values.get(key)
        if value is None:
            if self._rest is None:
                self._rest = {name.lower(): each for name, each in self._otherwise().items()}
            value = self._rest.get(key, ())
        if isinstance(value, str) or not value:
            return value
        return value if any(value) else ()

    def single(self, key: str) -> str | None:
        """The value of a key that takes only one, else None: no other key can be a policy variable.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        """
        value = self.value(key)
        return value if isinstance(value, str) else None


NOTHING = Context({})
