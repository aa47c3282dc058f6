"""The local AWS as Terraform gets it: empty, with what the provider asks of it that LocalStack lacks."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from http import HTTPStatus
from subprocess import CompletedProcess, run
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws import EMULATOR_PYTHON, REPOSITORY, free_port, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.local_aws, pytest.mark.enable_socket]
ACCOUNT = "000000000000"


class EmptyAws:
    """Where it is, and what it is asked by its root."""

    def __init__(self, state: Path, port: int) -> None:
        self.state = state
        self.endpoint = f"http://localhost:{port}"
        # Looked at before any test, for they make things.
        self.at_first: list[Any] = [
            *self.client("s3").list_buckets()["Buckets"],
            *self.client("iam").list_roles()["Roles"],
            *self.client("cognito-idp").list_user_pools(MaxResults=1)["UserPools"],
        ]

    def client(self, service: str, **keys: str) -> Any:
        """A client of the account's root, or of whose keys these are."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            config=Config(proxies={}),
            **(keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}),
        )

    def cli(self, *arguments: str) -> Any:
        """What the AWS CLI prints: its CloudWatch speaks the protocol that LocalStack does."""
        command = [str(EMULATOR_PYTHON), "-m", "awscli", *arguments]
        environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull,
        }
        done = run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def session_of(self, role: str) -> CompletedProcess[str]:
        """What `credential_process` gets for a role."""
        token = str(self.state / "functions.token")
        command = [str(EMULATOR_PYTHON), "-m", "smas_emulator.function_session", self.endpoint, role, token]
        return run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmptyAws]:
    """One for this module, on a port of its own."""
    state, port = tmp_path_factory.mktemp("empty-aws") / "state", free_port()
    started = run_stack(state, "up", "--only", "empty-aws", "--aws-port", str(port))
    assert started.returncode == 0, started.stderr
    yield EmptyAws(state, port)
    run_stack(state, "down")


def test_nothing_is_in_it(aws: EmptyAws) -> None:
    """No bucket, no role, no pool: whatever is there afterwards, Terraform made."""
    assert aws.at_first == []


def make_role(aws: EmptyAws, name: str, trust: dict[str, Any]) -> None:
    """A role that may see queues."""
    iam = aws.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    may = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_role_policy(RoleName=name, PolicyName="queues", PolicyDocument=policy)


def test_a_process_gets_the_role_that_lambda_may_assume(aws: EmptyAws) -> None:
    """With the trust that is deployed, and with what the role may do and no more."""
    trust = (REPOSITORY / "infra" / "policies" / "trust-lambda.json").read_text(encoding="utf-8")
    make_role(aws, "of-a-function", json.loads(trust.replace("${account}", ACCOUNT)))

    given = json.loads(aws.session_of("of-a-function").stdout)

    assert given["Version"] == 1
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    who = aws.client("sts", **keys).get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/of-a-function/of-a-function"
    assert aws.client("sqs", **keys).list_queues()["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.OK
    with pytest.raises(ClientError, match=r"(?i)not authorized to perform: sqs:CreateQueue"):
        aws.client("sqs", **keys).create_queue(QueueName="more")


@pytest.mark.parametrize(
    ("name", "principal"),
    [("of-a-person", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), ("of-ec2", {"Service": "ec2.amazonaws.com"})],
)
def test_a_role_that_lambda_may_not_assume_is_refused(
    aws: EmptyAws, name: str, principal: dict[str, str]
) -> None:
    """The role's own trust decides, and the refusal says so."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    make_role(aws, name, {"Version": "2012-10-17", "Statement": [statement]})

    refused = aws.session_of(name)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"may not assume the role {name}" in refused.stderr


def test_who_has_no_token_gets_no_role(aws: EmptyAws) -> None:
    """Other programs of this machine are nobody's function."""
    request = urllib.request.Request(f"{aws.endpoint}/_smas/functions/of-a-function", method="POST")

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)

    with refused.value:
        assert refused.value.code == 403


def test_an_alarm_keeps_the_tags_it_was_made_with(aws: EmptyAws) -> None:
    """As in AWS, those of a later PutMetricAlarm are ignored."""
    alarm = {
        "AlarmName": "tagged",
        "Namespace": "SMAS",
        "MetricName": "Requests",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    for owner in ("smas", "other"):
        tagged = {**alarm, "Tags": [{"Key": "Application", "Value": owner}]}
        aws.cli("cloudwatch", "put-metric-alarm", "--cli-input-json", json.dumps(tagged))

    arn = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:tagged"

    assert aws.cli("cloudwatch", "list-tags-for-resource", "--resource-arn", arn)["Tags"] == [
        {"Key": "Application", "Value": "smas"}
    ]


def test_what_is_done_about_risks_is_kept(aws: EmptyAws) -> None:
    """For the pool, and for a client of its own; a pool that nobody has is told."""
    cognito = aws.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="risky")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="one")["UserPoolClient"]["ClientId"]
    assert cognito.describe_risk_configuration(UserPoolId=pool)["RiskConfiguration"] == {"UserPoolId": pool}
    block = {"EventFilter": ["SIGN_IN"], "Actions": {"EventAction": "BLOCK"}}

    cognito.set_risk_configuration(UserPoolId=pool, CompromisedCredentialsRiskConfiguration=block)

    for asked in ({"UserPoolId": pool}, {"UserPoolId": pool, "ClientId": client}):
        described = cognito.describe_risk_configuration(**asked)["RiskConfiguration"]
        assert described["CompromisedCredentialsRiskConfiguration"] == block
    with pytest.raises(cognito.exceptions.ResourceNotFoundException):
        cognito.describe_risk_configuration(UserPoolId="us-east-1_nobody")


def test_a_resource_server_is_changed_and_taken_away(aws: EmptyAws) -> None:
    """A team's scopes come and go with it."""
    cognito = aws.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="serving")["UserPool"]["Id"]
    server = {"UserPoolId": pool, "Identifier": "smas", "Name": "smas"}
    cognito.create_resource_server(**server, Scopes=[{"ScopeName": "a@b", "ScopeDescription": "a of b"}])
    changed = [{"ScopeName": "a@c", "ScopeDescription": "a of c"}]
    asked = {"UserPoolId": pool, "Identifier": "smas"}

    cognito.update_resource_server(**server, Scopes=changed)

    assert cognito.describe_resource_server(**asked)["ResourceServer"]["Scopes"] == changed
    cognito.delete_resource_server(**asked)
    with pytest.raises(cognito.exceptions.ResourceNotFoundException):
        cognito.delete_resource_server(**asked)


def test_a_queues_address_is_as_terraform_takes_it(aws: EmptyAws) -> None:
    """Account and name, and nothing before them."""
    url = aws.client("sqs").create_queue(QueueName="addressed")["QueueUrl"]

    assert url == f"{aws.endpoint}/{ACCOUNT}/addressed"


def test_a_queues_policy_set_to_nothing_is_gone(aws: EmptyAws) -> None:
    """All three of them; the rest of the queue stays."""
    sqs = aws.client("sqs")
    sqs.create_queue(QueueName="dead")
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead", "maxReceiveCount": 5}
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Effect": "Allow", "Principal": root, "Action": "sqs:*", "Resource": "*"}
    policies = {
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        "RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"}),
        "RedrivePolicy": json.dumps(redrive),
    }
    url = sqs.create_queue(QueueName="alive", Attributes=policies)["QueueUrl"]

    sqs.set_queue_attributes(QueueUrl=url, Attributes=dict.fromkeys(policies, ""))

    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert set(policies).isdisjoint(left)
    assert left["QueueArn"].endswith(":alive")


def test_it_can_be_kept_while_all_else_is_stopped(aws: EmptyAws) -> None:
    """Before a store is destroyed, its processes are; what it is in goes on."""
    stopped = run_stack(aws.state, "down", "--keep-aws")

    assert (stopped.returncode, stopped.stderr) == (0, "nothing is running\n")
    assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT
