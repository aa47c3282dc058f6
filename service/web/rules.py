"""Routes as they are used here: requests are matched against them, and no URL is ever built from one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

if TYPE_CHECKING:
    from collections.abc import Callable


class MatchedRule(Rule):
    """A rule that learns to build its URL when it is first asked for one.

    Werkzeug writes and compiles two functions for that when a rule is made, which is nine tenths of what the
    application takes to be made.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - werkzeug's signature
        def build(rule: MatchedRule, /, **values: Any) -> tuple[str, str]:
            return super(MatchedRule, rule)._compile_builder(append_unknown)(rule, **values)

        return build
