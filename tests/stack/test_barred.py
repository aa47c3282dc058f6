"""On the local AWS, past the service: whoever is barred keeps nothing of what they had."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from deployment import offboarding
from deployment.barring import policies
from deployment.errors import DeploymentError
from deployment.store import of_local_stack
from tests.infra.rendering import PERSONAS
from tests.stack.sessions import REFUSED, fetched, persona, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_aws import LocalStack
    from tests.stack.stored_models import StoredModels


@pytest.fixture
def somebody(local_aws: LocalStack) -> Iterator[str]:
    """A source identity that nobody else has; not barred any more when the test ends."""
    identity = f"leaver-{uuid.uuid4().hex[:8]}"
    which, aws = of_local_stack(local_aws.state)
    yield identity
    offboarding.unbar(which, aws, identity=identity, say=lambda _: None)


def bar(local_aws: LocalStack, identity: str) -> list[str]:
    """Bar them; what the command says."""
    which, aws = of_local_stack(local_aws.state)
    said: list[str] = []
    offboarding.bar(which, aws, identity=identity, say=said.append)
    return said


def refused(call: Any, **parameters: Any) -> bool:
    """Whether IAM refuses a call."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] in REFUSED
    return False


def test_a_url_handed_out_before_opens_nothing_any_more(
    local_aws: LocalStack, models: StoredModels, somebody: str
) -> None:
    """Its signature is still good, and its session too: the bucket refuses whose it is."""
    s3 = persona(local_aws, "data-scientist", subject=somebody).client(local_aws, "s3")
    others = persona(local_aws, "data-scientist", subject="sub-of-another").client(local_aws, "s3")
    place = models.place("blobs")
    assert fetched(s3, **place)[0] == 200

    bar(local_aws, somebody)

    assert fetched(s3, **place)[0] == 403
    assert fetched(others, **place)[0] == 200


def test_a_barred_auditor_reads_neither_trail_nor_log(local_aws: LocalStack, somebody: str) -> None:
    """They are in other buckets and services, so the persona's own policy refuses."""
    keys = persona(local_aws, "auditor", team=None, subject=somebody)
    asked = {
        keys.client(local_aws, "s3").list_objects_v2: {
            "Bucket": local_aws.environment["SMAS_TRAIL_BUCKET"],
            "Prefix": f"AWSLogs/{local_aws.stack['account']}/CloudTrail/",
        },
        keys.client(local_aws, "logs").filter_log_events: {
            "logGroupName": local_aws.environment["SMAS_LOG_GROUP"]
        },
        keys.client(local_aws, "cloudtrail").list_public_keys: {},
    }
    assert [refused(call, **parameters) for call, parameters in asked.items()] == [False] * 3

    bar(local_aws, somebody)

    assert [refused(call, **parameters) for call, parameters in asked.items()] == [True] * 3


@pytest.mark.parametrize("role", PERSONAS)
def test_a_new_session_is_worth_nothing(
    local_aws: LocalStack, models: StoredModels, somebody: str, role: str
) -> None:
    """A token that has not ended yet still makes one; it may do nothing."""
    bar(local_aws, somebody)
    name = role.removeprefix("persona-")
    team = "fraud" if name in {"data-scientist", "approver", "deployer"} else None
    s3 = persona(local_aws, name, team=team, subject=somebody).client(local_aws, "s3")

    assert refused(s3.get_object, **models.place("cards"))
    assert not refused(session(local_aws, role).client(local_aws, "s3").get_object, **models.place("cards"))


def test_barring_again_changes_nothing_and_lifting_it_gives_everything_back(
    local_aws: LocalStack, models: StoredModels, somebody: str
) -> None:
    """Safe to repeat, and of one person alone."""
    which, aws = of_local_stack(local_aws.state)
    s3 = persona(local_aws, "data-scientist", subject=somebody).client(local_aws, "s3")

    first, again = bar(local_aws, somebody), bar(local_aws, somebody)
    assert [line.endswith("(as before)") for line in (*first, *again)] == [False, False, True, True]
    assert refused(s3.get_object, **models.place("cards"))

    offboarding.unbar(which, aws, identity=somebody, say=lambda _: None)
    assert not refused(s3.get_object, **models.place("cards"))


def test_what_is_barred_in_one_place_alone_is_told(local_aws: LocalStack, somebody: str) -> None:
    """As after a run of Terraform by somebody who has not the file."""
    which, aws = of_local_stack(local_aws.state)
    bar(local_aws, somebody)
    bucket, personas = policies(which, aws)
    assert offboarding.listed(which, aws) == ([somebody], True)

    personas.change(lambda before: before - {somebody})

    lines, agree = offboarding.listed(which, aws)
    assert (lines[0], agree) == (somebody, False)
    assert personas.name in lines[1]
    assert bucket.name not in lines[1]


def test_a_user_is_found_by_name_and_their_door_is_shut(local_aws: LocalStack, new_person: str) -> None:
    """Disabled in the pool; enabled again only when that is asked for."""
    which, aws = of_local_stack(local_aws.state)
    cognito, pool = local_aws.root_client("cognito-idp"), which.user_pool_id

    def enabled() -> bool:
        return bool(cognito.admin_get_user(UserPoolId=pool, Username=new_person)["Enabled"])

    offboarding.bar(which, aws, user=new_person, say=lambda _: None)
    assert not enabled()
    offboarding.unbar(which, aws, user=new_person, say=lambda _: None)
    assert not enabled()
    offboarding.unbar(which, aws, user=new_person, enable=True, say=lambda _: None)
    assert enabled()


def test_nobody_of_that_name_is_said_so(local_aws: LocalStack) -> None:
    """With where to look, and nothing is changed."""
    which, aws = of_local_stack(local_aws.state)
    with pytest.raises(DeploymentError, match="has no user 'mallory'"):
        offboarding.bar(which, aws, user="mallory", say=lambda _: None)
