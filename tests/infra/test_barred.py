"""Whoever is barred is refused everything, by the bucket and by every persona; nobody else is."""

from __future__ import annotations

import json

import pytest
from smas_emulator.gateway.principals import RoleSession, Root
from smas_emulator.iam.documents import Policy
from smas_emulator.iam.evaluation import Request, decide

from deployment import barring
from tests.infra.evaluation import compiled, session
from tests.infra.rendering import BARRED, BUCKET, PERSONAS, PLACEHOLDERS, listed, rendered

EVERYTHING = Policy.parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
WHO = "sub-of-the-barred"
OBJECT = f"arn:aws:s3:::{BUCKET}/blobs/fraud/m/{'a' * 64}"
ACTIONS = (
    ("s3:GetObject", OBJECT),
    ("s3:GetObjectVersion", OBJECT),
    ("s3:PutObject", OBJECT),
    ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
)


def caller(identity: str | None) -> RoleSession:
    """A session of a role that is no persona: who has a name keeps it, whatever role they go on to."""
    return session("somewhere-else", subject=identity)


@pytest.mark.parametrize(("action", "resource"), ACTIONS)
def test_the_bucket_refuses_the_barred_whatever_allows_them(action: str, resource: str) -> None:
    """In any role, and to a URL that was signed before: S3 asks the policy at each request."""
    answers = {
        identity: decide(
            Request(action, resource, {}),
            caller(identity),
            identity=[EVERYTHING],
            resource=compiled("bucket"),
        )
        for identity in (WHO, "sub-of-another", f"{WHO}x", WHO.upper(), None)
    }
    assert answers[WHO].sid == barring.STATEMENT
    assert [name for name, answer in answers.items() if not answer.allowed] == [WHO]


def test_the_account_itself_is_never_barred() -> None:
    """It has no source identity, so whoever mends things always can."""
    root = Root(PLACEHOLDERS.account, "AKIAROOT")
    request = Request("s3:GetObject", OBJECT, {})
    assert decide(request, root, identity=[EVERYTHING], resource=compiled("bucket")).allowed


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_persona_refuses_the_barred_all_that_it_allows(persona: str) -> None:
    """Keys, the trail, the service's log: what the bucket's own policy says nothing of."""
    actions = {action for each in rendered(persona).statements for action in listed(each["Action"])}
    assert actions
    for action in actions:
        refused = decide(
            Request(action, "arn:aws:anything", {}),
            caller(WHO),
            identity=[EVERYTHING, compiled(BARRED)],
        )
        assert (refused.allowed, refused.sid) == (False, barring.STATEMENT)
        others = decide(
            Request(action, "arn:aws:anything", {}), caller("other"), identity=[EVERYTHING, compiled(BARRED)]
        )
        assert others.allowed


@pytest.mark.parametrize("name", ["bucket", BARRED])
def test_the_command_finds_and_changes_the_statement_of_the_template(name: str) -> None:
    """And nothing else in the policy: what it writes is what Terraform renders of the same list."""
    policy = rendered(name)
    assert barring.barred_in(policy.text, name) == {WHO}

    nobody = barring.with_barred(policy.text, [], name)
    assert barring.barred_in(nobody, name) == frozenset()
    assert json.loads(barring.with_barred(nobody, [WHO], name)) == policy.document


def test_the_most_that_can_be_barred_fit() -> None:
    """Into a persona's inline policies (10,240 characters) and into the bucket's policy (20 KB)."""
    most = [f"{number:064d}" for number in range(barring.MOST)]
    for persona in PERSONAS:
        own = len(rendered(persona).text)
        assert own + len(barring.with_barred(rendered(BARRED).text, most, persona)) <= 10_240
    assert len(barring.with_barred(rendered("bucket").text, most, "bucket")) <= 20_000
