"""Forms as browsers and apps send them (`application/x-www-form-urlencoded`)."""

from __future__ import annotations

from urllib.parse import parse_qsl

MOST_CHARACTERS = 16_384


class MalformedForm(ValueError):
    """It is too long, or has a field twice, which OAuth forbids (RFC 6749, section 3.2)."""


def read_form(body: str) -> dict[str, str]:
    """The fields of a form; empty ones count as left out. Raises `MalformedForm`."""
    if len(body) > MOST_CHARACTERS:
        msg = "the form is too long"
        raise MalformedForm(msg)
    pairs = parse_qsl(body)
    form = dict(pairs)
    if len(form) != len(pairs):
        msg = "the form has a field twice"
        raise MalformedForm(msg)
    return form
