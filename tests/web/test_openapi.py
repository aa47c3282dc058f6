"""What is served, what is documented and what the contract says are the same."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from service.web.openapi import operations
from service.web.problems import ALL_KINDS
from tests.web.conftest import PUBLIC_URL

if TYPE_CHECKING:
    from tests.web.conftest import Site

_MODEL = "/v1/models/{team}/{model}"

# The part of the HTTP contract that exists in this release: every path with its methods.
CONTRACT = {
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/openapi.json": {"get"},
    "/docs": {"get"},
    "/.well-known/oauth-protected-resource": {"get"},
    "/v1/whoami": {"get"},
    "/v1/models": {"get"},
    _MODEL: {"get", "patch"},
    f"{_MODEL}/settings": {"get", "put"},
    f"{_MODEL}/uploads": {"get", "post"},
    f"{_MODEL}/uploads/{{sha256}}": {"delete"},
    f"{_MODEL}/uploads/{{sha256}}/parts": {"get", "post"},
    f"{_MODEL}/uploads/{{sha256}}/complete": {"post"},
    f"{_MODEL}/versions": {"get", "post"},
    f"{_MODEL}/versions/{{ref}}": {"get"},
    f"{_MODEL}/versions/{{ref}}/files/{{path}}": {"get"},
    f"{_MODEL}/versions/{{ref}}/file": {"get"},
    f"{_MODEL}/versions/{{ref}}/downloads": {"post"},
    f"{_MODEL}/aliases": {"get"},
    f"{_MODEL}/aliases/{{alias}}": {"get", "put", "delete"},
    f"{_MODEL}/aliases/{{alias}}/history": {"get"},
    "/v1/audit/events": {"get"},
    "/v1/audit/integrity": {"get"},
}

# Status and stable code of every error the contract names; `retained` and `deleted` come with their routes.
ERRORS = {
    ("invalid_request", 400),
    ("unauthenticated", 401),
    ("forbidden", 403),
    ("not_found", 404),
    ("method_not_allowed", 405),
    ("conflict", 409),
    ("blob_missing", 409),
    ("upload_mismatch", 409),
    ("not_approved", 409),
    ("payload_too_large", 413),
    ("validation_failed", 422),
    ("quarantined", 423),
    ("throttled", 429),
    ("internal", 500),
    ("storage_unavailable", 503),
}


def described(site: Site) -> dict[str, Any]:
    """The document as clients get it."""
    return dict(site.call("GET", "/openapi.json").json)


def test_the_routes_are_those_of_the_contract(site: Site) -> None:
    """None is missing, and none exists before its time (approvals, retention)."""
    paths = described(site)["paths"]
    assert {path: set(methods) for path, methods in paths.items()} == CONTRACT
    served = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in site.app.url_map.iter_rules()}
    assert served == set(CONTRACT)


def test_the_errors_are_those_of_the_contract() -> None:
    """Each stable code with its status."""
    assert {(kind.code, kind.status) for kind in ALL_KINDS} == ERRORS


def test_the_document_is_valid_openapi(site: Site) -> None:
    """OpenAPI 3.1, every reference resolved."""
    document = described(site)
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": PUBLIC_URL}]
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_operation_is_documented(site: Site) -> None:
    """A summary, its permissions, its success and its errors."""
    for operation in operations(site.app):
        assert operation.summary.endswith("."), operation.rule
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
        told = described(site)["paths"][path][operation.method.lower()]
        statuses = set(told["responses"])
        assert statuses & {"200", "201", "204"}, path
        if operation.access.needs_token:
            assert {"401", "500", "503"} <= statuses, path
        if operation.access.permissions:
            assert {"403", "404", "422"} <= statuses, path
            assert told["x-permissions"], path


def test_request_bodies_refuse_what_they_do_not_know(site: Site) -> None:
    """The schemas say it too: a mistyped field is an error, not silence."""
    document = described(site)
    schemas = document["components"]["schemas"]
    for methods in document["paths"].values():
        for told in methods.values():
            if "requestBody" in told:
                reference = told["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                assert schemas[reference.rpartition("/")[2]]["additionalProperties"] is False, reference


class _Page(HTMLParser):
    """Anchors, links and anything a page might load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag brings."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if name == "href" and tag == "a" and value:
                self.links.add(value)
            if name in {"src", "action", "srcset"} or (name == "href" and tag != "a"):
                self.loads.add(str(value))


def test_the_page_for_people_is_whole_and_alone(site: Site) -> None:
    """Every path and error stands on it, every inner link leads somewhere, and it loads nothing."""
    response = site.call("GET", "/docs")
    page = _Page()
    page.feed(response.text)
    assert page.loads == set()
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    inner = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inner <= page.anchors
    assert {code for code, _ in ERRORS} <= page.anchors
    for path in CONTRACT:
        assert path in response.text
