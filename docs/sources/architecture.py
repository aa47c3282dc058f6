"""The picture of the system in AWS, `docs/architecture.png`.

A box names the resources of Terraform that it stands for. `tests/docs/test_architecture.py` holds them
against `infra/`, both ways: what is drawn exists, and nothing of weight exists that is not drawn.
"""

from __future__ import annotations

from typing import Final

from docs.sources.shapes import Arrow, Box, Frame, Label, Mark, picture

WIDTH, HEIGHT = 1800, 1350

BOXES: Final = (
    # Outside.
    Box(
        "outside",
        24,
        109,
        236,
        96,
        "Identity provider",
        ("SAML or OIDC, if there is one:", "signs people in, names groups"),
        ("aws_cognito_identity_provider.provider",),
        dashed=True,
    ),
    Box(
        "outside",
        24,
        318,
        236,
        118,
        "People and machines",
        ("the command smas, its SDK,", "curl; training and serving;", "each checks every SHA-256"),
    ),
    # Who somebody is.
    Box(
        "identity",
        350,
        98,
        300,
        118,
        "Cognito user pool",
        (
            "people, groups, machine clients;",
            "second factor, threat protection;",
            "sign-in page, tokens of 60 minutes",
        ),
        (
            "aws_cognito_user_pool.people",
            "aws_cognito_user_pool_client.people",
            "aws_cognito_user_pool_client.machine",
            "aws_cognito_user_pool_client.canary",
            "aws_cognito_user_pool_domain.people",
            "aws_cognito_user_group.role",
        ),
    ),
    Box(
        "identity",
        750,
        98,
        300,
        118,
        "Lambda: token-groups",
        ("what a provider's groups mean here;", "asked while a token is made;", "may do nothing but log"),
        ("aws_lambda_function.token_groups", "aws_iam_role.token_groups"),
    ),
    # The way in.
    Box(
        "api",
        350,
        318,
        300,
        118,
        "HTTP API",
        ("refuses bad tokens (JWT authorizer),", "throttles, logs every request;", "named routes only"),
        (
            "aws_apigatewayv2_api.store",
            "aws_apigatewayv2_authorizer.tokens",
            "aws_apigatewayv2_route.v1",
            "aws_apigatewayv2_route.open",
            "aws_apigatewayv2_domain_name.store",
        ),
    ),
    Box(
        "api",
        750,
        318,
        300,
        118,
        "Lambda: api",
        ("the service: checks token and role,", "keeps records, signs URLs;", "never sees a byte of a model"),
        ("aws_lambda_function.api", "aws_lambda_alias.api", "aws_iam_role.service"),
    ),
    Box(
        "identity",
        1150,
        318,
        236,
        118,
        "Personas, by STS",
        ("approver, auditor, compliance,", "custodian, data-scientist,", "deployer: IAM roles"),
        ("aws_iam_role.persona",),
    ),
    # What is kept.
    Box("data", 750, 520, 636, 190, "S3: the bucket of models", (), ("aws_s3_bucket.models",)),
    Box(
        "data",
        766,
        570,
        292,
        124,
        "blobs",
        ("bytes, named by their SHA-256;", "only those tagged verified", "can be read.  Key: bytes"),
        ("aws_kms_key.bytes",),
    ),
    Box(
        "data",
        1078,
        570,
        292,
        124,
        "records",
        ("manifests, aliases, moves, cards,", "verdicts.  Versions, Object Lock.", "Key: metadata"),
        ("aws_kms_key.metadata",),
    ),
    Box(
        "data",
        1480,
        553,
        244,
        124,
        "Second region",
        ("if one is named: a copy with the", "same versions and locks, under", "keys of its own"),
        (
            "aws_s3_bucket.replica",
            "aws_kms_key.replica_bytes",
            "aws_kms_key.replica_metadata",
            "aws_iam_role.replication",
        ),
        dashed=True,
    ),
    # Verified before it is served.
    Box(
        "verify",
        350,
        796,
        300,
        118,
        "SQS: events",
        (
            "what was written waits here; after",
            "five failures: dead letters; another",
            "queue for sweeps that failed",
        ),
        ("aws_sqs_queue.events", "aws_sqs_queue.events_dead", "aws_sqs_queue.invocations_dead"),
    ),
    Box(
        "verify",
        750,
        796,
        300,
        118,
        "Lambda: verifier",
        (
            "hashes, judges, tags, releases; each",
            "minute, by a rule, it sweeps and",
            "looks for unknown sessions",
        ),
        (
            "aws_lambda_function.verifier",
            "aws_iam_role.worker",
            "aws_lambda_event_source_mapping.events",
            "aws_cloudwatch_event_rule.sweep",
        ),
    ),
    Box(
        "identity",
        1150,
        796,
        236,
        118,
        "Roles of verifying",
        ("scanning reads bytes; tagging", "decides and reads none; watch", "reads the trail"),
        ("aws_iam_role.verifier_scanning", "aws_iam_role.verifier_tagging", "aws_iam_role.watch"),
    ),
    Box(
        "verify",
        1150,
        980,
        236,
        96,
        "KMS: signing",
        ("for signatures of verdicts,", "which do not exist yet"),
        ("aws_kms_key.signing",),
    ),
    # Who did what.
    Box(
        "audit",
        1480,
        98,
        244,
        118,
        "CloudTrail",
        ("every call in the account, every", "read and write of a model's", "objects; signed digests"),
        ("aws_cloudtrail.trail",),
    ),
    Box(
        "audit",
        1480,
        258,
        244,
        118,
        "S3: the trail",
        (
            "locked: nobody deletes it before",
            "its time.  Key: logs.  S3's access",
            "logs in a bucket beside it",
        ),
        ("aws_s3_bucket.trail", "aws_s3_bucket.access_log", "aws_kms_key.logs"),
    ),
    Box(
        "audit",
        1480,
        418,
        244,
        96,
        "Athena and Glue",
        ("questions over years, answered", "into a bucket of their own"),
        (
            "aws_athena_workgroup.audit",
            "aws_glue_catalog_database.audit",
            "aws_glue_catalog_table.cloudtrail",
            "aws_glue_catalog_table.access_log",
            "aws_s3_bucket.athena",
        ),
    ),
    # How it does.
    Box(
        "watch",
        1480,
        796,
        244,
        118,
        "CloudWatch",
        ("logs of functions, gateway, trail;", "filters that count in them;", "alarms, one dashboard"),
        (
            "aws_cloudwatch_log_group.service",
            "aws_cloudwatch_log_group.worker",
            "aws_cloudwatch_log_group.token_groups",
            "aws_cloudwatch_log_group.api_gateway",
            "aws_cloudwatch_log_group.trail",
            "aws_iam_role.log_group",
            "aws_cloudwatch_log_metric_filter.counted",
            "aws_cloudwatch_metric_alarm.plain",
            "aws_cloudwatch_metric_alarm.log",
            "aws_cloudwatch_metric_alarm.egress_unusual",
            "aws_cloudwatch_metric_alarm.failed_sign_ins",
            "aws_cloudwatch_dashboard.store",
        ),
    ),
    Box(
        "watch",
        1480,
        980,
        244,
        96,
        "SNS: alarms",
        ("mail to whoever is on call.", "Key: operations"),
        ("aws_sns_topic.alarms", "aws_sns_topic_subscription.email", "aws_kms_key.operations"),
    ),
    Box(
        "watch",
        350,
        980,
        700,
        96,
        "Made before all this, by infra/bootstrap",
        (
            "ECR: the one image that all three functions run, named by its digest",
            "S3: Terraform's state, which knows secrets.  Key: state",
        ),
        ("aws_ecr_repository.store", "aws_s3_bucket.state", "aws_kms_key.state"),
    ),
)

ARROWS: Final = (
    Arrow("call", ((260, 157), (350, 157)), both=True),
    Arrow("call", ((142, 318), (142, 264), (500, 264), (500, 216))),
    Arrow("call", ((650, 157), (750, 157)), both=True),
    Arrow("call", ((260, 377), (350, 377)), both=True),
    Arrow("call", ((650, 377), (750, 377)), both=True),
    Arrow("call", ((1050, 377), (1150, 377))),
    Arrow("call", ((1268, 436), (1268, 520)), both=True),
    Arrow("bytes", ((142, 436), (142, 615), (750, 615)), both=True),
    Arrow("event", ((900, 710), (900, 753), (500, 753), (500, 796))),
    Arrow("event", ((650, 855), (750, 855))),
    Arrow("call", ((1050, 855), (1150, 855))),
    Arrow("call", ((1268, 796), (1268, 710)), both=True),
    Arrow("call", ((1268, 914), (1268, 980))),
    Arrow("copy", ((1386, 615), (1480, 615))),
    Arrow("record", ((1386, 377), (1433, 377), (1433, 157), (1480, 157))),
    Arrow("record", ((1386, 560), (1433, 560), (1433, 157), (1480, 157))),
    Arrow("record", ((1602, 216), (1602, 258))),
    Arrow("record", ((1602, 376), (1602, 418))),
    Arrow("record", ((1724, 157), (1750, 157), (1750, 855), (1724, 855))),
    Arrow("call", ((1602, 914), (1602, 980))),
)

# Where a step stands on its arrow, and what happens in it.
STEPS: Final = (
    ((222, 264), "People sign in, here or at their provider; the token names their groups."),
    ((304, 377), "Calls come with the token; records and URLs go back, never bytes."),
    ((1100, 377), "The service becomes the caller: a session with name, team and token id."),
    ((1268, 478), "In it, records are read and written; IAM and the bucket's policy decide."),
    ((446, 615), "Bytes go between client and S3 alone, by URLs signed in that session."),
    ((700, 753), "S3 tells what was written; the verifier takes it up."),
    ((1100, 855), "It acts in roles, none of which can both read bytes and release them."),
    ((1268, 753), "It tags what is what its name says; IAM lets nobody read the rest."),
    ((1433, 267), "AWS records each act under the person's own name."),
    ((1602, 942), "Alarms tell what is refused, changed, late or silent."),
)

# Of the types in `infra/`, those that only say how something drawn is set up.
DETAILS: Final = frozenset(
    {
        "aws_apigatewayv2_api_mapping",
        "aws_apigatewayv2_integration",
        "aws_apigatewayv2_stage",
        "aws_appautoscaling_policy",
        "aws_appautoscaling_target",
        "aws_athena_named_query",
        "aws_cloudwatch_event_target",
        "aws_cognito_resource_server",
        "aws_cognito_risk_configuration",
        "aws_ecr_lifecycle_policy",
        "aws_ecr_repository_policy",
        "aws_iam_policy",
        "aws_iam_role_policy",
        "aws_kms_alias",
        "aws_kms_key_policy",
        "aws_lambda_function_event_invoke_config",
        "aws_lambda_permission",
        "aws_lambda_provisioned_concurrency_config",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_logging",
        "aws_s3_bucket_metric",
        "aws_s3_bucket_notification",
        "aws_s3_bucket_object_lock_configuration",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_replication_configuration",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_sns_topic_policy",
        "aws_sqs_queue_policy",
        "aws_sqs_queue_redrive_allow_policy",
    }
)

_LEGEND_TOP: Final = 1164
_LEGEND_ROW: Final = 38


def svg() -> str:
    """The picture."""
    half = len(STEPS) // 2
    legend = tuple(
        Label(330 + 730 * (number // half), _LEGEND_TOP + _LEGEND_ROW * (number % half), words, number + 1)
        for number, (_, words) in enumerate(STEPS)
    )
    marks = tuple(Mark(x, y, number) for number, ((x, y), _) in enumerate(STEPS, start=1))
    title = Label(24, 68, "Secure model artifact store", size=22)
    frame = Frame(310, 34, 1466, 1070, "One AWS account; one region, unless a second is named")
    return picture(
        WIDTH,
        HEIGHT,
        "The secure model artifact store in AWS",
        " ".join(words for _, words in STEPS),
        (frame, title, *BOXES, *ARROWS, *marks, *legend),
    )
