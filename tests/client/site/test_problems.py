"""From the store's problems to the SDK's errors: complete, stable, and never somebody else's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas import errors
from smas.errors import EXIT_CODES, SmasError
from smas.problems import error_of

from service.web.problems import ALL_KINDS
from tests.client.site.answers import Given, gateway_answer, json_answer, problem_answer

if TYPE_CHECKING:
    from tests.client.site.fixtures import Stores
    from tests.client.site.wire import WsgiTransport

# code: status, error, exit code. The contract's table, line by line.
TABLE: dict[str, tuple[int, type[SmasError], int]] = {
    "invalid_request": (400, errors.Invalid, 7),
    "unauthenticated": (401, errors.NotSignedIn, 3),
    "forbidden": (403, errors.Forbidden, 4),
    "not_found": (404, errors.NotFound, 5),
    "method_not_allowed": (405, errors.SmasError, 1),
    "conflict": (409, errors.Conflict, 6),
    "blob_missing": (409, errors.Conflict, 6),
    "upload_mismatch": (409, errors.Conflict, 6),
    "not_approved": (409, errors.Conflict, 6),
    "retained": (409, errors.Conflict, 6),
    "deleted": (410, errors.Deleted, 5),
    "payload_too_large": (413, errors.Invalid, 7),
    "validation_failed": (422, errors.Invalid, 7),
    "quarantined": (423, errors.NotServed, 8),
    "throttled": (429, errors.Unavailable, 9),
    "internal": (500, errors.Unavailable, 9),
    "storage_unavailable": (503, errors.Unavailable, 9),
}
# In the contract, but of parts of the store that are not built yet.
TO_COME = {"retained", "deleted"}
OWN_HINTS = {"blob_missing", "upload_mismatch", "not_approved", "quarantined"}


def test_every_problem_of_the_store_is_in_the_table() -> None:
    """A code that the store learns must get an error and an exit code here, or this test fails."""
    served = {kind.code: kind.status for kind in ALL_KINDS}
    assert {code: status for code, (status, _, _) in TABLE.items() if code not in TO_COME} == served


@pytest.mark.parametrize("code", TABLE)
def test_a_problem_becomes_its_error(stores: Stores, wire: WsgiTransport, code: str) -> None:
    """Class, exit code, the store's words, and its request id; over the whole way through the SDK."""
    status, kind, exit_code = TABLE[code]
    wire.instead("GET", "/v1/whoami", lambda _: problem_answer(status, code), times=100)
    with pytest.raises(SmasError) as told:
        stores.of("ds-fraud").whoami()
    error = told.value
    assert type(error) is kind
    assert (error.exit_code, error.code) == (exit_code, code)
    assert (error.detail, error.request_id) == (f"the detail of {code}", f"request-of-{code}")
    assert bool(error.hint) == (code in OWN_HINTS or bool(kind.default_hint))


def test_every_exit_code_is_documented_and_used() -> None:
    """The table that `smas --help` prints holds exactly the exit codes of the error tree, and the others."""

    def below(kind: type[SmasError]) -> list[type[SmasError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    used = {kind.exit_code for kind in below(SmasError)}
    assert {code for code, _ in EXIT_CODES} == used | {0, 130, 143}


def test_places_of_a_failed_validation_are_kept() -> None:
    """Each wrong place arrives with its message."""
    faults = [
        {"location": "files[0].size", "message": "too large"},
        {"location": "files[3]", "message": "twice"},
    ]
    body = {"detail": "d", "code": "validation_failed", "errors": faults}
    answer = json_answer(422, body)
    error = error_of(422, answer.headers, answer.content(), "id")
    assert [(fault.location, fault.message) for fault in error.errors] == [
        ("files[0].size", "too large"),
        ("files[3]", "twice"),
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Invalid),
        (401, errors.NotSignedIn),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (413, errors.Invalid),
        (418, errors.SmasError),
        (429, errors.Unavailable),
        (502, errors.Unavailable),
        (503, errors.Unavailable),
        (599, errors.Unavailable),
    ],
)
def test_a_gateway_speaks_by_its_status_alone(
    stores: Stores, wire: WsgiTransport, status: int, kind: type[SmasError]
) -> None:
    """A body that is not the store's is never quoted: the status decides, the request id is our own."""
    wire.instead("GET", "/v1/whoami", lambda _: gateway_answer(status), times=100)
    with pytest.raises(SmasError) as told:
        stores.of("ds-fraud").whoami()
    assert type(told.value) is kind
    assert str(status) in told.value.detail
    assert "secret-of-the-gateway" not in repr(vars(told.value))
    assert told.value.code is None
    assert told.value.request_id == wire.sent[-1].headers["X-Request-Id"]


@given(status=st.integers(400, 599), content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_body_becomes_an_error(status: int, content: bytes) -> None:
    """Whatever comes with a bad status, an error of the tree is made of it, and nothing else is raised."""
    error = error_of(status, {}, content, "our-id")
    assert isinstance(error, SmasError)
    assert error.exit_code in dict(EXIT_CODES)
    assert error.detail


@pytest.mark.parametrize(
    "content", [b"", b"<html>login please</html>", b"[]", b'{"subject": 1}', b'{"items": []}', b"\xff"]
)
def test_a_good_status_with_another_body_is_not_the_store(
    stores: Stores, wire: WsgiTransport, content: bytes
) -> None:
    """A proxy's login page with status 200 is no contract: the error says so, and no traceback of JSON."""
    for part, call in (("/whoami", "whoami"), ("/models?", "models")):
        wire.instead("GET", part, lambda _: Given(200, {}, content))
        with pytest.raises(SmasError, match="not its contract"):
            list([getattr(stores.of("ds-fraud"), call)()][0])


def test_a_redirect_is_not_followed(stores: Stores, wire: WsgiTransport) -> None:
    """Nothing in the contract redirects the client: a token is never carried elsewhere."""
    wire.instead("GET", "/whoami", lambda _: Given(302, {"Location": "https://elsewhere.example"}, b""))
    with pytest.raises(SmasError):
        stores.of("ds-fraud").whoami()
    assert len(wire.sent) == 1
