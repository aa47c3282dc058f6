"""The real application over the stores in memory, with tokens signed by a key made for the test."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, cast

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from service.aws.key_set import KeySet
from service.verifier.scanning import Scanner, Turns
from service.verifier.settling import Verifier
from service.web.app import Collaborators, create_app
from tests.fakes.audit import FakeAuditWorkspaces
from tests.fakes.in_memory import FakeBlobStore, FakeObjectStore, FakeWorkspaces, InMemoryBucket

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.datastructures import Headers

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_TestPool"
PUBLIC_URL = "https://models.example.test"
PEOPLE, MACHINE = "people-client", "machine-client"
KID = "the-key"
PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "request_id"}


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    """The pool's private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Pool:
    """A user pool that signs whatever it is told to."""

    private: rsa.RSAPrivateKey

    def claims(self, user: str, *groups: str, **changed: Any) -> dict[str, Any]:
        """Claims of an access token as Cognito issues them to people; None removes one."""
        now = int(time.time())
        claims = {
            "sub": f"sub-of-{user}",
            "iss": ISSUER,
            "client_id": PEOPLE,
            "token_use": "access",
            "scope": "aws.cognito.signin.user.admin",
            "auth_time": now,
            "iat": now,
            "exp": now + 3600,
            "jti": f"jti-of-{user}",
            "username": user,
            "cognito:groups": list(groups),
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """The claims as a token; ``kid=None`` leaves the key id out."""
        headers = {"kid": KID, **header}
        return jwt.encode(
            claims,
            self.private,
            algorithm="RS256",
            headers={name: value for name, value in headers.items() if value is not None},
        )

    def person(self, user: str, *groups: str) -> str:
        """A token of a person in ``groups``."""
        return self.sign(self.claims(user, *groups))

    def machine(self, *scopes: str) -> str:
        """A token of the machine client with ``scopes``."""
        claims = self.claims("machine", username=None, client_id=MACHINE, sub=MACHINE, scope=" ".join(scopes))
        claims.pop("cognito:groups")
        return self.sign(claims)

    def key_set(self) -> bytes:
        """What the pool publishes."""
        entry = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return msgspec.json.encode({"keys": [{**entry, "kid": KID, "use": "sig", "alg": "RS256"}]})


@dataclass
class FakeReadiness:
    """Ready, unless told otherwise."""

    broken: dict[str, str] = field(default_factory=dict)

    def faults(self) -> dict[str, str]:
        """See ``Readiness.faults``."""
        return self.broken


class Response(Protocol):
    """What tests read of an answer; ``json`` may be anything: who expects else fails by that."""

    status_code: int
    mimetype: str
    headers: Headers
    data: bytes
    text: str
    json: Any

    def get_json(self, *, force: bool) -> Any:
        """The body as JSON, whatever its type says."""


@dataclass
class Site:
    """The application, its bucket, and clients signed in as the contract's local users."""

    app: Flask
    bucket: InMemoryBucket
    pool: Pool
    readiness: FakeReadiness
    workspaces: FakeWorkspaces
    audit: FakeAuditWorkspaces

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> Response:
        """One request."""
        headers = dict(options.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        answer = self.app.test_client().open(path, method=method, headers=headers, **options)
        return cast("Response", answer)

    def user(self, name: str) -> User:
        """A client of one of the local users, or of the machine."""
        return User(self, TOKENS[name](self.pool))

    def verify(self) -> None:
        """Let the verifier look at everything that happened."""
        from service.verifier.consuming import settle  # noqa: PLC0415 - only here
        from service.verifier.events import event_of  # noqa: PLC0415

        objects = FakeObjectStore(self.bucket)
        scanner = Scanner(objects, FakeBlobStore(self.bucket), Turns())
        verifier = Verifier(scanner, objects, lambda: datetime.now(UTC))
        happened, self.bucket.notified = self.bucket.notified, []
        for key, version_id in happened:
            event = event_of(key, version_id)
            if event:
                settle(verifier, event)


TOKENS: dict[str, Any] = {
    "ds-fraud": lambda pool: pool.person("ds-fraud", "data-scientist@fraud"),
    "ds-fraud-2": lambda pool: pool.person("ds-fraud-2", "data-scientist@fraud"),
    "ds-nlp": lambda pool: pool.person("ds-nlp", "data-scientist@nlp"),
    "ds-both": lambda pool: pool.person("ds-both", "data-scientist@fraud", "data-scientist@nlp"),
    "approver-fraud": lambda pool: pool.person("approver-fraud", "approver@fraud"),
    "ds-and-approver": lambda pool: pool.person("two-hats", "approver@fraud", "data-scientist@fraud"),
    "deployer-fraud": lambda pool: pool.person("deployer-fraud", "deployer@fraud"),
    "compliance": lambda pool: pool.person("compliance", "compliance"),
    "auditor": lambda pool: pool.person("auditor", "auditor"),
    "custodian": lambda pool: pool.person("custodian", "custodian"),
    "nobody": lambda pool: pool.person("nobody"),
    "machine": lambda pool: pool.machine("smas/deployer@fraud"),
}


@dataclass
class User:
    """Requests with one caller's token."""

    site: Site
    token: str

    def __call__(self, method: str, path: str, **options: Any) -> Response:
        """Any request."""
        return self.site.call(method, path, self.token, **options)

    def get(self, path: str, **options: Any) -> Response:
        """GET."""
        return self("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Response:
        """POST JSON."""
        return self("POST", path, json=body, **options)

    def upload(self, model: str, *contents: bytes) -> list[dict[str, Any]]:
        """Send small blobs as a client does; answers them as files of a draft."""
        wanted = [{"sha256": sha256(content).hexdigest(), "size": len(content)} for content in contents]
        started = self.post(f"/v1/models/{model}/uploads", {"files": wanted})
        assert started.status_code == 200, started.text
        for answer, content in zip(started.json["files"], contents, strict=True):
            if answer["state"] == "single":
                self.site.bucket.send(_ticket(answer), content)
        return [{"path": f"file-{index}.bin", **file} for index, file in enumerate(wanted)]

    def publish(self, model: str, *contents: bytes, **draft: Any) -> dict[str, Any]:
        """Upload and publish; answers the version."""
        files = draft.pop("files", None) or self.upload(model, *(contents or (b"weights",)))
        published = self.post(f"/v1/models/{model}/versions", {"files": files, **draft})
        assert published.status_code == 201, published.text
        return dict(published.json)


def _ticket(answer: dict[str, Any]) -> Any:
    from service.ports import Ticket  # noqa: PLC0415

    return Ticket(answer["url"], answer["headers"], datetime.now(UTC))


@pytest.fixture
def site(signing_key: rsa.RSAPrivateKey) -> Site:
    """A fresh application over an empty bucket."""
    bucket, pool, readiness = InMemoryBucket(), Pool(signing_key), FakeReadiness()
    workspaces, audit = FakeWorkspaces(bucket), FakeAuditWorkspaces(bucket)
    app = create_app(
        Collaborators(
            public_url=PUBLIC_URL,
            issuer=ISSUER,
            openid_configuration_uri=f"{ISSUER}/.well-known/openid-configuration",
            people_client_id=PEOPLE,
            client_ids=frozenset({PEOPLE, MACHINE}),
            keys=KeySet(pool.key_set),
            workspaces=workspaces,
            audit=audit,
            readiness=readiness,
            clock=lambda: datetime.now(UTC),
        )
    )
    return Site(app, bucket, pool, readiness, workspaces, audit)


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """Assert that the answer is the one error shape, and give its body."""
    body = response.get_json(force=True)
    assert (response.status_code, body.get("code")) == (status, code), response.text
    assert response.mimetype == "application/problem+json"
    assert set(body) - {"errors"} == PROBLEM_FIELDS
    assert ("errors" in body) or status != 422
    assert body["status"] == status
    assert body["request_id"] == response.headers["X-Request-Id"]
    return dict(body)
