"""What must hold for the policies that only AWS has: each rule answers with the faults it finds.

They are of roles that AWS's services take on, of people who bring a role of their own, and of things that the
local stack lacks. Of the rules for all policies (`policy_rules`) those listed in `RULES` hold for them too.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.infra import policy_rules
from tests.infra.policy_rules import actions, statements
from tests.infra.rendering import AWS_KEYS, AWS_RESOURCES, BUCKET, VALUES, Policy, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.infra.policy_rules import Rule

SOURCE, REPLICA = f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{VALUES['replica_bucket']}"
# Behind these a wildcard stays inside one thing of ours; a key's own policy is about that key.
BOUNDS = (
    f"{SOURCE}/",
    f"{REPLICA}/",
    f"arn:aws:s3:::{VALUES['access_log_bucket']}/",
    f"arn:aws:s3:::{VALUES['athena_bucket']}/results/",
    f"arn:aws:glue:eu-central-1:111122223333:table/{VALUES['audit_database']}/",
    policy_rules.LOGS.removesuffix("*"),
    f"{VALUES['log_group_arn']}:",
    f"{VALUES['trail_log_group_arn']}:log-stream:111122223333_CloudTrail_",
)
# They take no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
TRACES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# Keys by which a service says for whom it asks.
ASKS_FOR = ("aws:SourceArn", "aws:SourceAccount", "kms:EncryptionContext:aws:logs:arn")
# Of these, AWS documents no such key. What holds instead: each role does one thing, to things of ours, and
# can be given to a service only by who may pass it.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
UNASKED = {"trust-replication", "trust-trail"}
# What each role that a service takes on may do, and who asks Athena about the audit: the whole of it.
DOES = {
    "athena-reader": {
        *(f"athena:{verb}" for verb in ("StartQueryExecution", "StopQueryExecution", "GetWorkGroup")),
        *(f"athena:{verb}" for verb in ("GetQueryExecution", "BatchGetQueryExecution", "GetQueryResults")),
        *(f"athena:{verb}" for verb in ("GetNamedQuery", "BatchGetNamedQuery", "ListNamedQueries")),
        "athena:ListQueryExecutions",
        *(f"glue:{verb}" for verb in ("GetDatabase", "GetPartitions", "GetTable", "GetTables")),
        *(f"s3:{verb}" for verb in ("GetObject", "PutObject", "ListBucket", "GetBucketLocation")),
        *("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
        *("kms:Decrypt", "kms:GenerateDataKey"),
    },
    "function": {"logs:CreateLogStream", "logs:PutLogEvents", *TRACES},
    "function-queues": {"sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"},
    "trail-log-group": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "replication": {
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging",
        "s3:GetObjectRetention",
        "s3:GetObjectLegalHold",
        "s3:ReplicateObject",
        "s3:ReplicateTags",
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:GenerateDataKey",
    },
}

# By which service a role uses which key, and no other way.
THROUGH = {"athena-reader": ("s3", "logs_key_arn"), "function-queues": ("sqs", "operations_key_arn")}
READS = re.compile(
    r"(athena|glue|s3):(BatchGet|Get|List)|athena:(Start|Stop)QueryExecution|kms:(Decrypt|GenerateDataKey)"
)


def stays_inside(policy: Policy) -> list[str]:
    """No Allow is about everything, but for what takes no resource; wildcards stay in one thing of ours."""
    if policy.name in AWS_KEYS:
        return []
    return [
        f"{place}: {resource} is everything"
        for place, statement in statements(policy, "Allow")
        for resource in listed(statement.get("Resource", []))
        if "*" in resource and not resource.startswith(BOUNDS) and not set(actions(statement)) <= TRACES
    ]


def services_ask_for_us(policy: Policy) -> list[str]:
    """What is allowed to a service of AWS is allowed only when it asks for this account or a thing of it.

    Else anybody's trail, bucket or alarm could make it act on ours: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    if policy.name in UNASKED:
        return []
    return [
        f"{place}: for anybody"
        for place, statement in statements(policy, "Allow")
        if "Service" in statement.get("Principal", {})
        if not any(_is_ours(value) for value in _asked(statement))
    ]


def _asked(statement: dict[str, Any]) -> Iterator[Any]:
    for operator, tests in statement.get("Condition", {}).items():
        if operator in {"ArnEquals", "ArnLike", "StringEquals"}:
            yield from (value for key, value in tests.items() if key in ASKS_FOR)


def _is_ours(values: Any) -> bool:
    """This account's number, or the ARN of something in it, or of a bucket, whose ARN names no account."""
    return all(
        value == "111122223333"
        or value.split(":")[4:5] == ["111122223333"]
        or value.startswith("arn:aws:s3:::smas-")
        for value in listed(values)
    )


def people_come_as_themselves(policy: Policy) -> list[str]:
    """Whoever brings a role of their own becomes a persona under their own name, and in their own team.

    Name and team are tags of their own session, which their identity provider sets and they cannot.
    """
    if not policy.name.startswith("trust-people"):
        return []
    person, team = "${aws:PrincipalTag/person}", "${aws:PrincipalTag/team}"
    faults: list[str] = []
    for place, statement in statements(policy, "Allow"):
        if statement["Principal"] != {"AWS": json.loads(VALUES["people_arns"])}:
            faults.append(f"{place}: trusts others")
        equal = statement.get("Condition", {}).get("StringEquals", {})
        does = actions(statement)
        if does != ["sts:TagSession"] and equal.get("sts:SourceIdentity") != person:
            faults.append(f"{place}: as somebody else")
        if policy.name == "trust-people" and "sts:SetSourceIdentity" not in does:
            only = statement["Condition"].get("ForAllValues:StringEquals", {})
            if equal.get("aws:RequestTag/team") != team or listed(only.get("aws:TagKeys")) != ["team"]:
                faults.append(f"{place}: in another team")
        if policy.name == "trust-people-global" and "sts:TagSession" in does:
            faults.append(f"{place}: in a team")
    return faults


def roles_of_services_do_one_thing(policy: Policy) -> list[str]:
    """A role that a service takes on does what it is for, whatever else its resources would bear."""
    if policy.name not in DOES:
        return []
    done = {action for _, statement in statements(policy, "Allow") for action in actions(statement)}
    return [f"{policy.name}: {action}" for action in sorted(done ^ DOES[policy.name])]


def copies_from_here_to_there(policy: Policy) -> list[str]:
    """Replication reads and decrypts in this region, writes and encrypts in that one, and deletes nowhere."""
    if policy.name != "replication":
        return []
    faults: list[str] = []
    for place, statement in statements(policy, "Allow"):
        writes = any(action.startswith("s3:Replicate") for action in actions(statement))
        there = writes or "kms:Encrypt" in actions(statement)
        region, bucket = (VALUES["replica_region"], REPLICA) if there else (VALUES["region"], SOURCE)
        keys = f"arn:aws:kms:{region}:111122223333:key/"
        faults.extend(
            f"{place}: {resource}"
            for resource in listed(statement["Resource"])
            if resource not in {bucket, f"{bucket}/*"} and not resource.startswith(keys)
        )
        if any(action.startswith("kms:") for action in actions(statement)) and statement.get("Condition") != {
            "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]},
        }:
            faults.append(f"{place}: keys for other objects")
    return faults


def uses_keys_only_through_a_service(policy: Policy) -> list[str]:
    """Whoever asks Athena or sends to a queue does so under its key, and decrypts nothing by itself."""
    if policy.name not in THROUGH:
        return []
    service, key = THROUGH[policy.name]
    via = {"StringEquals": {"kms:ViaService": f"{service}.eu-central-1.amazonaws.com"}}
    return [
        f"{place}: a key by itself"
        for place, statement in statements(policy, "Allow")
        if any(action.startswith("kms:") for action in actions(statement))
        if statement.get("Condition") != via or listed(statement["Resource"]) != [VALUES[key]]
    ]


def asks_and_changes_nothing(policy: Policy) -> list[str]:
    """Whoever asks Athena reads what was recorded and writes answers; no table, no record, no model."""
    if policy.name != "athena-reader":
        return []
    answers = [f"arn:aws:s3:::{VALUES['athena_bucket']}/results/*"]
    faults: list[str] = []
    for place, statement in statements(policy, "Allow"):
        changes = [action for action in actions(statement) if not READS.match(action)]
        if changes and listed(statement["Resource"]) != answers:
            faults.append(f"{place}: {changes}")
        faults.extend(
            f"{place}: {resource}"
            for resource in listed(statement["Resource"])
            if resource.startswith((f"{SOURCE}/", REPLICA)) or resource == SOURCE
        )
    return faults


def refuses_open_connections(policy: Policy) -> list[str]:
    """Whatever takes objects or messages takes them over TLS alone, and says so itself."""
    if policy.name not in AWS_RESOURCES or policy.name in AWS_KEYS:
        return []
    refused = [
        statement
        for _, statement in statements(policy, "Deny")
        if statement["Principal"] == {"AWS": "*"}
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    return [] if refused else [f"{policy.name}: without TLS"]


RULES: tuple[Rule, ...] = (
    policy_rules.is_valid_json,
    policy_rules.has_unique_sids,
    policy_rules.has_known_elements,
    policy_rules.names_real_actions,
    policy_rules.allows_no_wildcard_action,
    policy_rules.allows_no_anonymous,
    policy_rules.tags_only_as_verifier,
    policy_rules.fits_into_iam,
    stays_inside,
    services_ask_for_us,
    people_come_as_themselves,
    roles_of_services_do_one_thing,
    copies_from_here_to_there,
    uses_keys_only_through_a_service,
    asks_and_changes_nothing,
    refuses_open_connections,
)
