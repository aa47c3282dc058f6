"""The policies of whoever deploys: enough for every resource of `infra/`, and no way to a model.

Enough is a matter of the actions that make, change and take away; only AWS can finally show that none is
missing which Terraform reads with.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import parliament  # type: ignore[import-untyped]  # it ships no types
import pytest
from smas_emulator.iam.documents import Policy
from smas_emulator.iam.evaluation import Request, decide
from smas_emulator.policies import render_policy

from tests.docs.terraform_files import INFRA, resources
from tests.infra.evaluation import session

if TYPE_CHECKING:
    from pathlib import Path

PARTS: Final = ("access", "functions", "storage")
VALUES: Final = {"partition": "aws", "account": "111122223333", "region": "eu-central-1", "name": "smas"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, without white space
MOST_CHARACTERS: Final = 6_144

GUARDS: Final = "whoever keeps a bucket's policy could open it; that is what deploying means"
BOTH: Final = "IAM asks for an alias at the alias and at its key"
WIDER: Final = "the wildcard reaches further than these resources, where it allows nothing"
GLOBAL: Final = "a condition key of KMS for all actions on keys, which it does not know yet"
NOT_OURS: Final = "AWS takes no resource of ours for it"
EXPLAINED: Final = (
    ("storage", "RESOURCE_POLICY_PRIVILEGE_ESCALATION", "", GUARDS),
    ("storage", "RESOURCE_MISMATCH", "kms:CreateAlias", BOTH),
    ("storage", "RESOURCE_MISMATCH", "s3:GetStorageLensConfiguration", WIDER),
    ("storage", "RESOURCE_MISMATCH", "athena:ListTagsForResource", WIDER),
    ("storage", "RESOURCE_MISMATCH", "glue:DeleteDatabase", WIDER),
    ("storage", "UNKNOWN_CONDITION_FOR_ACTION", "kms:ResourceAliases", GLOBAL),
    ("functions", "RESOURCE_STAR", "lambda:DeleteEventSourceMapping", NOT_OURS),
    ("functions", "RESOURCE_STAR", "application-autoscaling:", NOT_OURS),
)

_ARN: Final = "arn:aws:{}:eu-central-1:111122223333:{}"
_BUCKET: Final = "arn:aws:s3:::smas-models-111122223333-eu-central-1"
_KEY: Final = _ARN.format("kms", "key/0")
_POOL: Final = _ARN.format("cognito-idp", "userpool/eu-central-1_0")
_API: Final = "arn:aws:apigateway:eu-central-1::/apis"
_FUNCTION: Final = _ARN.format("lambda", "function:smas-api")
_GLUE: Final = _ARN.format("glue", "table/smas_audit/cloudtrail")
_QUEUE: Final = _ARN.format("sqs", "smas-events")
_TOPIC: Final = _ARN.format("sns", "smas-alarms")
_ROLE: Final = "arn:aws:iam::111122223333:role/smas-service"
_REPOSITORY: Final = _ARN.format("ecr", "repository/smas")
_OURS: Final = {"aws:ResourceTag/Application": "smas", "aws:RequestTag/Application": "smas"}
# By type of resource: what makes or sets it, and on what.
MAKES: Final = {
    "aws_apigatewayv2_api": ("apigateway:POST", _API),
    "aws_apigatewayv2_api_mapping": (
        "apigateway:POST",
        "arn:aws:apigateway:eu-central-1::/domainnames/x/apimappings",
    ),
    "aws_apigatewayv2_authorizer": ("apigateway:POST", f"{_API}/0/authorizers"),
    "aws_apigatewayv2_domain_name": ("apigateway:POST", "arn:aws:apigateway:eu-central-1::/domainnames"),
    "aws_apigatewayv2_integration": ("apigateway:POST", f"{_API}/0/integrations"),
    "aws_apigatewayv2_route": ("apigateway:POST", f"{_API}/0/routes"),
    "aws_apigatewayv2_stage": ("apigateway:POST", f"{_API}/0/stages"),
    "aws_appautoscaling_policy": ("application-autoscaling:PutScalingPolicy", "*"),
    "aws_appautoscaling_target": ("application-autoscaling:RegisterScalableTarget", "*"),
    "aws_athena_named_query": ("athena:CreateNamedQuery", _ARN.format("athena", "workgroup/smas-audit")),
    "aws_athena_workgroup": ("athena:CreateWorkGroup", _ARN.format("athena", "workgroup/smas-audit")),
    "aws_cloudtrail": ("cloudtrail:CreateTrail", _ARN.format("cloudtrail", "trail/smas")),
    "aws_cloudwatch_dashboard": (
        "cloudwatch:PutDashboard",
        "arn:aws:cloudwatch::111122223333:dashboard/smas",
    ),
    "aws_cloudwatch_event_rule": ("events:PutRule", _ARN.format("events", "rule/smas-sweep")),
    "aws_cloudwatch_event_target": ("events:PutTargets", _ARN.format("events", "rule/smas-sweep")),
    "aws_cloudwatch_log_group": ("logs:CreateLogGroup", _ARN.format("logs", "log-group:/smas/service")),
    "aws_cloudwatch_log_metric_filter": (
        "logs:PutMetricFilter",
        _ARN.format("logs", "log-group:/smas/trail"),
    ),
    "aws_cloudwatch_metric_alarm": (
        "cloudwatch:PutMetricAlarm",
        _ARN.format("cloudwatch", "alarm:smas-egress"),
    ),
    "aws_cognito_identity_provider": ("cognito-idp:CreateIdentityProvider", _POOL),
    "aws_cognito_resource_server": ("cognito-idp:CreateResourceServer", _POOL),
    "aws_cognito_risk_configuration": ("cognito-idp:SetRiskConfiguration", _POOL),
    "aws_cognito_user_group": ("cognito-idp:CreateGroup", _POOL),
    "aws_cognito_user_pool": ("cognito-idp:CreateUserPool", "*"),
    "aws_cognito_user_pool_client": ("cognito-idp:CreateUserPoolClient", _POOL),
    "aws_cognito_user_pool_domain": ("cognito-idp:CreateUserPoolDomain", _POOL),
    "aws_ecr_lifecycle_policy": ("ecr:PutLifecyclePolicy", _REPOSITORY),
    "aws_ecr_repository": ("ecr:CreateRepository", _REPOSITORY),
    "aws_ecr_repository_policy": ("ecr:SetRepositoryPolicy", _REPOSITORY),
    "aws_glue_catalog_database": ("glue:CreateDatabase", _ARN.format("glue", "database/smas_audit")),
    "aws_glue_catalog_table": ("glue:CreateTable", _GLUE),
    "aws_iam_policy": ("iam:CreatePolicy", "arn:aws:iam::111122223333:policy/smas-athena-reader"),
    "aws_iam_role": ("iam:CreateRole", _ROLE),
    "aws_iam_role_policy": ("iam:PutRolePolicy", _ROLE),
    "aws_kms_alias": ("kms:CreateAlias", _ARN.format("kms", "alias/smas-bytes")),
    "aws_kms_key": ("kms:CreateKey", "*"),
    "aws_kms_key_policy": ("kms:PutKeyPolicy", _KEY),
    "aws_lambda_alias": ("lambda:CreateAlias", _FUNCTION),
    "aws_lambda_event_source_mapping": ("lambda:CreateEventSourceMapping", "*"),
    "aws_lambda_function": ("lambda:CreateFunction", _FUNCTION),
    "aws_lambda_function_event_invoke_config": ("lambda:PutFunctionEventInvokeConfig", _FUNCTION),
    "aws_lambda_permission": ("lambda:AddPermission", _FUNCTION),
    "aws_lambda_provisioned_concurrency_config": (
        "lambda:PutProvisionedConcurrencyConfig",
        f"{_FUNCTION}:live",
    ),
    "aws_s3_bucket": ("s3:CreateBucket", _BUCKET),
    "aws_s3_bucket_lifecycle_configuration": ("s3:PutLifecycleConfiguration", _BUCKET),
    "aws_s3_bucket_logging": ("s3:PutBucketLogging", _BUCKET),
    "aws_s3_bucket_metric": ("s3:PutMetricsConfiguration", _BUCKET),
    "aws_s3_bucket_notification": ("s3:PutBucketNotification", _BUCKET),
    "aws_s3_bucket_object_lock_configuration": ("s3:PutBucketObjectLockConfiguration", _BUCKET),
    "aws_s3_bucket_ownership_controls": ("s3:PutBucketOwnershipControls", _BUCKET),
    "aws_s3_bucket_policy": ("s3:PutBucketPolicy", _BUCKET),
    "aws_s3_bucket_public_access_block": ("s3:PutBucketPublicAccessBlock", _BUCKET),
    "aws_s3_bucket_replication_configuration": ("s3:PutReplicationConfiguration", _BUCKET),
    "aws_s3_bucket_server_side_encryption_configuration": ("s3:PutEncryptionConfiguration", _BUCKET),
    "aws_s3_bucket_versioning": ("s3:PutBucketVersioning", _BUCKET),
    "aws_sns_topic": ("sns:CreateTopic", _TOPIC),
    "aws_sns_topic_policy": ("sns:SetTopicAttributes", _TOPIC),
    "aws_sns_topic_subscription": ("sns:Subscribe", _TOPIC),
    "aws_sqs_queue": ("sqs:CreateQueue", _QUEUE),
    "aws_sqs_queue_policy": ("sqs:SetQueueAttributes", _QUEUE),
    "aws_sqs_queue_redrive_allow_policy": ("sqs:SetQueueAttributes", _QUEUE),
}
BYTES: Final = {**_OURS, "kms:ResourceAliases": "alias/smas-bytes"}
# What nobody who deploys may do.
REFUSED: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("s3:GetObject", f"{_BUCKET}/blobs/fraud/credit-risk/0", {}),
    ("s3:PutObject", f"{_BUCKET}/blobs/fraud/credit-risk/0", {}),
    ("s3:DeleteObject", f"{_BUCKET}/manifests/fraud/credit-risk/0", {}),
    ("s3:DeleteObjectVersion", f"{_BUCKET}/blobs/fraud/credit-risk/0", {}),
    ("s3:BypassGovernanceRetention", f"{_BUCKET}/blobs/fraud/credit-risk/0", {}),
    ("s3:DeleteBucket", _BUCKET, {}),
    ("s3:GetObject", "arn:aws:s3:::smas-trail-111122223333-eu-central-1/AWSLogs/0", {}),
    ("s3:PutBucketPolicy", "arn:aws:s3:::payroll", {}),
    ("s3:PutBucketPolicy", "arn:aws:s3:::smas-models-999999999999-eu-central-1", {}),
    ("kms:Decrypt", _KEY, BYTES),
    ("kms:Decrypt", _KEY, {**_OURS, "kms:ResourceAliases": "alias/smas-logs"}),
    ("kms:Decrypt", _KEY, {"aws:ResourceTag/Application": "payroll"}),
    ("kms:ScheduleKeyDeletion", _KEY, _OURS),
    ("kms:DisableKey", _KEY, _OURS),
    ("cloudtrail:StopLogging", _ARN.format("cloudtrail", "trail/smas"), {}),
    ("cloudtrail:DeleteTrail", _ARN.format("cloudtrail", "trail/smas"), {}),
    ("cloudtrail:UpdateTrail", _ARN.format("cloudtrail", "trail/payroll"), {}),
    ("cognito-idp:DeleteUserPool", _POOL, _OURS),
    ("cognito-idp:AdminSetUserPassword", _POOL, _OURS),
    ("cognito-idp:AdminCreateUser", _POOL, {"aws:ResourceTag/Application": "payroll"}),
    ("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/deployment-of-smas", {}),
    ("iam:AttachRolePolicy", _ROLE, {}),
    ("iam:PassRole", _ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}),
    ("iam:CreateUser", "arn:aws:iam::111122223333:user/smas-x", {}),
    ("sts:AssumeRole", "arn:aws:iam::111122223333:role/smas-data-scientist", {}),
    ("lambda:UpdateFunctionCode", _ARN.format("lambda", "function:payroll"), {}),
    ("lambda:InvokeFunction", _FUNCTION, {}),
    ("ecr:BatchDeleteImage", _REPOSITORY, {}),
    ("logs:GetLogEvents", _ARN.format("logs", "log-group:/smas/service"), {}),
)


def text(part: str) -> str:
    """A policy as the page's commands render it."""
    return render_policy(_path(part), VALUES)


def _path(part: str) -> Path:
    return INFRA / "bootstrap" / "deployment" / f"{part}.json"


POLICIES: Final = tuple(Policy.parse(text(part)) for part in PARTS)


def allowed(action: str, resource: str, context: dict[str, str]) -> bool:
    """Whether the three together allow it."""
    return decide(Request(action, resource, context), session("service"), identity=POLICIES).allowed


@pytest.mark.parametrize("part", PARTS)
def test_a_policy_means_what_it_says(part: str) -> None:
    """Actions exist, take these resources and know these conditions; what differs is explained above."""
    findings = parliament.analyze_policy_string(text(part)).findings
    assert [
        (finding.issue, str(finding.detail))
        for finding in findings
        if not any(
            each[:2] == (part, finding.issue) and each[2] in f"{finding.issue} {finding.detail}"
            for each in EXPLAINED
        )
    ] == []


@pytest.mark.parametrize("part", PARTS)
def test_a_policy_is_as_short_as_iam_takes_it(part: str) -> None:
    """A managed policy has 6,144 characters; the longest name and region are counted."""
    longest = {**VALUES, "partition": "aws-us-gov", "region": "ap-southeast-7", "name": 18 * "n"}
    rendered = json.loads(render_policy(_path(part), longest))
    assert len(json.dumps(rendered, separators=(",", ":"))) <= MOST_CHARACTERS


@pytest.mark.parametrize("kind", sorted({address.partition(".")[0] for address in resources()}))
def test_every_type_of_resource_can_be_made(kind: str) -> None:
    """Whoever adds a type says here what makes it."""
    action, resource = MAKES[kind]
    context = {**_OURS, "lambda:FunctionArn": _ARN.format("lambda", "function:smas-verifier")}
    assert allowed(action, resource, context)


@pytest.mark.parametrize(("action", "resource", "context"), REFUSED)
def test_what_is_not_for_whoever_deploys(action: str, resource: str, context: dict[str, str]) -> None:
    """No model, no file of the trail, nothing that cannot be put back, nothing of anybody else's."""
    assert not allowed(action, resource, context)


def test_roles_go_to_the_services_that_take_them() -> None:
    """To Lambda, CloudTrail and S3."""
    for service in ("cloudtrail", "lambda", "s3"):
        assert allowed("iam:PassRole", _ROLE, {"iam:PassedToService": f"{service}.amazonaws.com"})
