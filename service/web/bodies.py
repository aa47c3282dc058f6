"""Request bodies and query parameters, read strictly.

Unknown fields, keys that stand twice, NaN and lossy numbers are refused.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from flask import request

from service.errors import InvalidRequest, PayloadTooLarge, ValidationFailed

if TYPE_CHECKING:
    from service.domain.versions import JsonObject

MAX_BODY_BYTES: Final = 1024 * 1024
TOO_LARGE: Final = (
    "the request body is over 1 MiB: model bytes go to storage, with the URLs of POST …/uploads"
)
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
# Far beyond what JSON carries exactly, and few enough for Python, which reads no more than 4,300 of them.
_MOST_DIGITS: Final = 1000
# Of a key as an error quotes it.
_MOST_OF_A_KEY: Final = 100
_PLACE: Final = re.compile(r"^(?P<message>.*?)(?: - at `(?:key in )?\$\.?(?P<place>[^`]*)`)?$", re.DOTALL)

Body = TypeVar("Body", bound=msgspec.Struct)


def decode(kind: type[Body]) -> Body:
    """The request's JSON body. Raises ``InvalidRequest``, ``ValidationFailed``; 413 over 1 MiB."""
    if not request.is_json:
        message = f"send the body as application/json, not {request.mimetype or 'without a content type'}"
        raise InvalidRequest(message)
    # Werkzeug cuts a body that does not announce its length off at its own limit, without a word: one
    # byte more than ours tells a whole body from a cut one.
    request.max_content_length = MAX_BODY_BYTES + 1
    data = request.get_data(cache=False)
    if len(data) > MAX_BODY_BYTES:
        raise PayloadTooLarge(TOO_LARGE)
    try:
        text = data.decode()
        body = msgspec.json.decode(data, type=kind)
        _require_keys_once(text)
    except msgspec.ValidationError as error:
        _require_json(data)
        match = _PLACE.match(str(error))
        place = (match and match["place"]) or "body"
        text = (match and match["message"]) or str(error)
        raise ValidationFailed.at(place, text[:1].lower() + text[1:]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from error
    return body


def _require_keys_once(text: str) -> None:
    """Raise ``ValidationFailed`` if a key stands twice in an object.

    Which of its values is meant nobody knows: some readers of JSON take the first, others the last.
    """
    json.loads(text, object_pairs_hook=_without_duplicates, parse_int=_unread, parse_float=_unread)


def _unread(_number: str) -> None:
    """Stands for a number whose value is of no interest."""


def _require_json(data: bytes) -> None:
    """The first field of a wrong type ends typed decoding; what follows may still be no JSON at all."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from error


def _not_json(error: Exception) -> InvalidRequest:
    return InvalidRequest(f"the body is not JSON we read: {error}")


def free_json(raw: msgspec.Raw, location: str) -> JsonObject:
    """A free JSON object inside a body, exactly as written.

    Raises ``ValidationFailed`` for another type, or a number that Python cannot read.
    """

    def integer(text: str) -> int:
        if len(text) > _MOST_DIGITS:
            message = f"an integer of {len(text)} digits is too long: send it as text"
            raise ValidationFailed.at(location, message)
        return int(text)

    try:
        value = json.loads(bytes(raw), parse_int=integer)
    except RecursionError as error:
        raise ValidationFailed.at(location, "is nested too deep") from error
    if not isinstance(value, dict):
        raise ValidationFailed.at(location, "must be a JSON object")
    return value


def required(name: str) -> str:
    """A query parameter that must be there. Raises ``ValidationFailed``."""
    value = request.args.get(name, "")
    if not value:
        raise ValidationFailed.at(name, "is required as a query parameter")
    return value


def flag(name: str, *, default: bool) -> bool:
    """A ``true`` or ``false`` query parameter. Raises ``ValidationFailed``."""
    value = request.args.get(name)
    if value is None:
        return default
    if value not in {"true", "false"}:
        raise ValidationFailed.at(name, "must be true or false")
    return value == "true"


def limit() -> int:
    """``?limit=``, 1 to 1000. Raises ``ValidationFailed``."""
    text = request.args.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal()) or len(text) > 4 or not 1 <= int(text) <= MAX_LIMIT:  # noqa: PLR2004
        raise ValidationFailed.at("limit", f"must be 1 to {MAX_LIMIT}")
    return int(text)


def cursor(form: str) -> str | None:
    """``?cursor=`` of an earlier page: a place that matches ``form`` whole. Raises ``ValidationFailed``."""
    text = request.args.get("cursor")
    if text is None:
        return None
    try:
        position = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise ValidationFailed.at("cursor", "must be a next_cursor of this list") from error
    if not re.fullmatch(form, position) or not position.isprintable() or len(position) > 1024:  # noqa: PLR2004
        raise ValidationFailed.at("cursor", "must be a next_cursor of this list")
    return position


def written_cursor(position: str | None) -> str | None:
    """A position in a list as the opaque text that ``cursor`` reads back."""
    return urlsafe_b64encode(position.encode()).decode().rstrip("=") if position else None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise ValidationFailed.at("body", f"the key {name[:_MOST_OF_A_KEY]!r} stands twice")
        seen.add(name)
