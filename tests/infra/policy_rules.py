"""What must hold for every policy of the store: each rule answers with the faults it finds."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

from tests.infra.rendering import (
    AWS_KEYS,
    AWS_RESOURCES,
    AWS_ROLES,
    AWS_TRUSTS,
    BUCKET,
    KEYS,
    PLACEHOLDERS,
    RESOURCES,
    ROLES,
    TEAM_PERSONAS,
    TRAIL_BUCKET,
    TRUSTS,
    WATCH,
    Policy,
    listed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rule = Callable[[Policy], list[str]]

# Kinds of objects in the bucket: what a key begins with.
KINDS = frozenset(
    [
        "aliases",
        "approvals",
        "authors",
        "blobs",
        "cards",
        "findings",
        "manifests",
        "moves",
        "protected",
        "releases",
        "requests",
        "settings",
        "tombstones",
        "uploads",
        "verdicts",
    ]
)
TEAM = "${aws:PrincipalTag/team}"
OBJECTS = f"arn:aws:s3:::{BUCKET}/"
# The bucket of the trail, whose key layout is CloudTrail's: it writes below the account's folder.
TRAIL = f"arn:aws:s3:::{TRAIL_BUCKET}"
LOGS = f"{TRAIL}/{PLACEHOLDERS.trail_prefix}AWSLogs/111122223333/*"
# What a log group's ARN ends with wherever actions on it are allowed
# (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html).
SERVICE_LOG = f"{PLACEHOLDERS.service_log_group_arn}:*"
# Actions that are no operation of the same name
# (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and beside it).
ONLY_ACTIONS = {
    "s3": frozenset(
        [
            "BypassGovernanceRetention",
            "DeleteObjectVersion",
            "GetObjectVersion",
            "GetObjectVersionTagging",
            "PutObjectVersionTagging",
            "GetObjectVersionTorrent",
            "ListBucket",
            "GetObjectVersionForReplication",
            "ListBucketVersions",
            "ListMultipartUploadParts",
            "GetObjectVersionAcl",
            "GetReplicationConfiguration",
            "PutAnalyticsConfiguration",
            "PutBucketObjectLockConfiguration",
            "PutBucketPublicAccessBlock",
            "PutEncryptionConfiguration",
            "PutInventoryConfiguration",
            "PutLifecycleConfiguration",
            "PutReplicationConfiguration",
            "ReplicateObject",
            "ReplicateTags",
        ]
    ),
    "kms": frozenset({"ReEncryptFrom", "ReEncryptTo"}),
    "sts": frozenset({"TagSession", "SetSourceIdentity"}),
    "sqs": frozenset[str](),
    "cloudtrail": frozenset[str](),
    "logs": frozenset[str](),
    "sns": frozenset[str](),
    "athena": frozenset[str](),
    "glue": frozenset[str](),
    "xray": frozenset[str](),
}
# Operations of these names need actions of other names, so as actions they would mean nothing.
NO_ACTIONS = frozenset(
    [
        "s3:ListObjectsV2",
        "s3:ListObjects",
        "s3:ListObjectVersions",
        "s3:HeadObject",
        "s3:HeadBucket",
        "s3:CopyObject",
        "s3:UploadPart",
        "s3:CreateMultipartUpload",
        "s3:CompleteMultipartUpload",
        "s3:ListParts",
        "s3:DeleteObjects",
        "kms:ReEncrypt",
    ]
)
# No ``...IfExists``: in a Deny it refuses every request that does not send the key.
OPERATORS = frozenset(
    [
        "Bool",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "Null",
        "NumericGreaterThan",
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "ForAllValues:StringEquals",
    ]
)
CONDITION_KEYS = re.compile(
    r"aws:(PrincipalArn|PrincipalIsAWSService|SecureTransport|SourceAccount|SourceArn|SourceIdentity|TagKeys)|"
    r"aws:RequestTag/(jti|team)|"
    r"kms:(ViaService|EncryptionContext:aws:(cloudtrail|logs|s3):arn)|sts:(RoleSessionName|SourceIdentity)|"
    r"s3:(prefix|signatureAge|if-none-match|RequestObjectTagKeys|ExistingObjectTag/smas-(state|release)|"
    r"x-amz-(acl|storage-class)|x-amz-server-side-encryption(-aws-kms-key-id|-customer-algorithm)?)"
)
TAGGING = re.compile(r"s3:(Put|Delete)Object(Version)?Tagging")
NOBODYS = re.compile(
    r"s3:(BypassGovernanceRetention|DeleteBucket\w*|PutBucket\w*|Put\w*Configuration|PutObject(Version)?Acl|"
    r"DeleteObjectVersion|PutObjectRetention|PutObjectLegalHold|ObjectOwnerOverrideToBucketOwner|Replicate\w+)|"
    r"iam:.*|kms:(CreateGrant|Put\w*|Schedule\w*|Disable\w*|ReEncrypt\w*)"
)


def statements(policy: Policy, effect: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """A policy's statements (of one effect), each with the words that a fault in it is told by."""
    for statement in policy.statements:
        if effect is None or statement.get("Effect") == effect:
            yield f"{policy.name}.{statement.get('Sid')}", statement


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement."""
    return listed(statement.get("Action", []))


@cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_service_model(service).operation_names)


def is_valid_json(policy: Policy) -> list[str]:
    """No name stands twice in an object, the version is the current one, and there is nothing beside."""
    faults: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        faults.extend(
            f"{policy.name}: {n!r} stands twice" for n, c in Counter(n for n, _ in pairs).items() if c > 1
        )
        return dict(pairs)

    document = json.loads(policy.text, object_pairs_hook=once)
    if set(document) != {"Version", "Statement"} or document["Version"] != "2012-10-17":
        faults.append(f"{policy.name}: must hold Version 2012-10-17 and Statement, nothing else")
    return faults


def has_unique_sids(policy: Policy) -> list[str]:
    """Every statement has a name of its own that IAM accepts."""
    sids = [statement.get("Sid", "") for statement in policy.statements]
    wrong = [f"{policy.name}: {sid!r} is no Sid" for sid in sids if not re.fullmatch(r"[A-Za-z0-9]+", sid)]
    return wrong + [f"{policy.name}: {sid} stands twice" for sid, count in Counter(sids).items() if count > 1]


def has_known_elements(policy: Policy) -> list[str]:
    """Elements, operators and condition keys are known; who, what and to what is always said.

    What is written as an exception (``NotAction``, ``NotPrincipal``) grows by itself; it may refuse.
    """
    trusts = policy.name in (*TRUSTS, *AWS_TRUSTS)
    about_whom = {"Principal"} if trusts or policy.name in (*RESOURCES, *AWS_RESOURCES) else set[str]()
    about_what = set[str]() if trusts else {"Resource"}
    faults: list[str] = []
    for place, statement in statements(policy):
        wanted = {"Sid", "Effect", "Action", *about_whom, *about_what}
        names = set(statement) - {"Condition"}
        if statement.get("Effect") == "Deny" and "NotResource" in names:
            names = names - {"NotResource"} | {"Resource"}
        if names != wanted or statement["Effect"] not in {"Allow", "Deny"}:
            faults.append(f"{place}: has {sorted(names)}, not {sorted(wanted)}")
        for operator, tests in statement.get("Condition", {}).items():
            if operator not in OPERATORS:
                faults.append(f"{place}: unknown operator {operator}")
            faults.extend(f"{place}: unknown key {key}" for key in tests if not CONDITION_KEYS.fullmatch(key))
    return faults


def names_real_actions(policy: Policy) -> list[str]:
    """Every action exists, spelled as AWS spells it; a misspelled one would do nothing, silently."""
    faults: list[str] = []
    for place, statement in statements(policy):
        for action in actions(statement):
            service, _, name = action.partition(":")
            if action == "*":
                continue  # `allows_no_wildcard_action` lets it refuse only
            if service not in ONLY_ACTIONS:
                faults.append(f"{place}: unknown service in {action}")
            elif action in NO_ACTIONS or name not in ONLY_ACTIONS[service] | _operations(service) | {"*"}:
                faults.append(f"{place}: {action} is no action")
    return faults


def allows_no_wildcard_action(policy: Policy) -> list[str]:
    """What is allowed is spelled out; but a key belongs to its account, or nobody could mend its policy."""
    if policy.name in (*KEYS, *AWS_KEYS):
        root = {"AWS": "arn:aws:iam::111122223333:root"}
        return [
            f"{place}: {action} is allowed to others than the account"
            for place, statement in statements(policy, "Allow")
            for action in actions(statement)
            if "*" in action and (action != "kms:*" or statement["Principal"] != root)
        ]
    return [
        f"{place}: {action} is allowed"
        for place, statement in statements(policy, "Allow")
        for action in actions(statement)
        if "*" in action
    ]


def allows_no_wildcard_resource(policy: Policy) -> list[str]:
    """No Allow is about everything, but for an action that takes no resource; a key's ``*`` is that key.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html
    """
    if policy.name in KEYS:
        return []
    return [
        f"{place}: {resource} is everything"
        for place, statement in statements(policy, "Allow")
        for resource in listed(statement.get("Resource", []))
        if "*" in resource and not resource.startswith(OBJECTS) and resource not in {LOGS, SERVICE_LOG}
        if actions(statement) != ["cloudtrail:ListPublicKeys"]
    ]


def allows_no_anonymous(policy: Policy) -> list[str]:
    """Nobody is allowed anything for being anybody."""
    return [
        f"{place}: anybody"
        for place, statement in statements(policy, "Allow")
        for value in (statement.get("Principal", {}),)
        if "*" in json.dumps(value)
    ]


def fault_in_pattern(pattern: str) -> str | None:
    """What is wrong with the pattern of a key or of a prefix.

    The kind comes first, literally. ``*`` matches ``/`` too, so it is a whole segment: the last, or the one
    before a fixed last segment. A prefix without its slash would reach into the team with a longer name.
    """
    kind, *rest = pattern.split("/")
    if kind not in KINDS:
        return f"{pattern} does not begin with a kind"
    if not rest or "" in rest:
        return f"{pattern} is no folder"
    if any(wild in segment and segment != "*" for segment in rest for wild in "*?"):
        return f"{pattern} has a wildcard that is not a whole segment"
    stars = [index for index, segment in enumerate(rest) if segment == "*"]
    if not stars:
        return None
    if len(stars) > 1 or stars[0] < len(rest) - 2:
        return f"{pattern} has a wildcard inside"
    return None


def bounds_objects_and_lists(policy: Policy) -> list[str]:
    """Everything allowed on objects, and every list, is about one kind, or about one folder of it."""
    return [
        f"{place}: {fault}" for place, pattern in _patterns(policy) if (fault := fault_in_pattern(pattern))
    ]


def keeps_teams_apart(policy: Policy) -> list[str]:
    """A persona of a team reaches nothing but ``<kind>/<its team>/``; the others have no team to name."""
    wanted = policy.name in TEAM_PERSONAS
    return [
        f"{place}: {pattern}"
        for place, pattern in _patterns(policy)
        if (f"/{TEAM}/" in pattern) != wanted or (wanted and pattern.split("/")[1:3] != TEAM.split("/"))
    ]


def _patterns(policy: Policy) -> Iterator[tuple[str, str]]:
    for place, statement in statements(policy, "Allow"):
        for resource in listed(statement.get("Resource", [])):
            if resource.startswith("arn:aws:s3:::") and resource not in {OBJECTS[:-1], TRAIL, LOGS}:
                yield place, resource.removeprefix(OBJECTS)
        for tests in statement.get("Condition", {}).values():
            for prefix in listed(tests.get("s3:prefix", [])):
                if listed(statement["Resource"]) != [TRAIL]:
                    yield place, prefix


def lists_only_prefixes(policy: Policy) -> list[str]:
    """Nothing lists the whole bucket, and nothing but lists is allowed on the bucket itself."""
    faults: list[str] = []
    for place, statement in statements(policy, "Allow"):
        lists = {action for action in actions(statement) if re.match(r"s3:List(Bucket|\w*Uploads)", action)}
        on_bucket = OBJECTS[:-1] in listed(statement.get("Resource", []))
        prefixes = listed(statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", []))
        if lists and (listed(statement["Resource"]) not in ([OBJECTS[:-1]], [TRAIL]) or not prefixes):
            faults.append(f"{place}: lists without a prefix")
        if on_bucket and set(actions(statement)) - {"s3:ListBucket", "s3:ListBucketVersions"}:
            faults.append(f"{place}: more than lists on the bucket")
        faults.extend(f"{place}: {prefix} is no folder" for prefix in prefixes if not prefix.endswith("/*"))
    return faults


def lists_only_what_it_reads(policy: Policy) -> list[str]:
    """Names are told only to whoever reads what they name; but blobs', which are digests, tell nothing."""
    reads = {
        resource.removeprefix(OBJECTS).removeprefix(f"{TRAIL}/")
        for _, statement in statements(policy, "Allow")
        if "s3:GetObject" in actions(statement)
        for resource in listed(statement["Resource"])
    }
    return [
        f"{place}: lists {prefix}, which it does not read"
        for place, statement in statements(policy, "Allow")
        for tests in statement.get("Condition", {}).values()
        for prefix in listed(tests.get("s3:prefix", []))
        if prefix not in reads and not prefix.startswith("blobs/")
    ]


def reads_the_trail_only_as_an_auditor(policy: Policy) -> list[str]:
    """Three roles read what proves who did what: its files, its log, the public keys; nobody does more.

    So nobody lists or reads any other place of the trail's bucket, and no other log group.
    """
    if policy.name in RESOURCES:
        return []
    whole = {
        frozenset({"s3:GetObject", "s3:GetObjectVersion"}): ([LOGS], None),
        frozenset({"s3:ListBucket", "s3:ListBucketVersions"}): (
            [TRAIL],
            {"StringLike": {"s3:prefix": [LOGS.removeprefix(f"{TRAIL}/")]}},
        ),
        frozenset({"cloudtrail:ListPublicKeys"}): (["*"], None),
        frozenset({"logs:FilterLogEvents"}): ([SERVICE_LOG], None),
    }
    readers = {"persona-auditor", "persona-compliance", WATCH}
    return [
        f"{place}: the trail"
        for place, statement in statements(policy, "Allow")
        for resources in (listed(statement.get("Resource", [])),)
        if any(each.startswith(TRAIL) for each in resources)
        or any(re.match("(cloudtrail|logs):", action) for action in actions(statement))
        if policy.name not in readers
        or whole.get(frozenset(actions(statement))) != (resources, statement.get("Condition"))
    ]


def uses_keys_only_through_s3(policy: Policy) -> list[str]:
    """No role can encrypt or decrypt by itself, only read and write objects."""
    if policy.name in KEYS:
        return []
    return [
        f"{place}: a key without S3"
        for place, statement in statements(policy, "Allow")
        if any(action.startswith("kms:") for action in actions(statement))
        and statement.get("Condition")
        != {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
    ]


def tags_only_as_verifier(policy: Policy) -> list[str]:
    """Only the verifier's tagging role tags, blobs alone, with the two tags that open them."""
    only = {"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["smas-release", "smas-state"]}}
    return [
        f"{place}: tags"
        for place, statement in statements(policy, "Allow")
        if any(TAGGING.fullmatch(action) for action in actions(statement))
        and (
            policy.name != "verifier-tagging"
            or actions(statement) != ["s3:PutObjectVersionTagging"]
            or listed(statement["Resource"]) != [f"{OBJECTS}blobs/*"]
            or statement.get("Condition") != only
        )
    ]


def allows_nothing_that_is_nobodys(policy: Policy) -> list[str]:
    """No role unlocks, deletes versions, changes the bucket, its keys or who may what.

    CloudWatch Logs itself encrypts its log groups anew.
    """
    return [
        f"{place}: {action}"
        for place, statement in statements(policy, "Allow")
        for action in actions(statement)
        if NOBODYS.fullmatch(action)
        if statement.get("Principal") != {"Service": "logs.eu-central-1.amazonaws.com"}
    ]


def fits_into_iam(policy: Policy) -> list[str]:
    """Room for a role's inline policies, a trust policy, a bucket's (a key's, a queue's) policy."""
    roles, trusts = (*ROLES, *AWS_ROLES), (*TRUSTS, *AWS_TRUSTS)
    limit = 10_240 if policy.name in roles else 2_048 if policy.name in trusts else 20_480
    size = len(json.dumps(policy.document, separators=(",", ":")).encode())
    return [f"{policy.name}: {size} of {limit} bytes"] if size > limit else []


def trusts_only_the_named(policy: Policy) -> list[str]:
    """A role is assumed by one role of ours, with a source identity, and with no tags but those agreed on.

    A session that takes tags has that of its token: without one nobody could say what it was for.
    """
    if policy.name not in TRUSTS:
        return []
    faults: list[str] = []
    for place, statement in statements(policy, "Allow"):
        tests = {
            key: (op, values)
            for op, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        }
        done = set(actions(statement))
        named = tests.get("sts:SourceIdentity") in {("StringLike", "?*"), ("StringEquals", "smas-verifier")}
        if not named and done != {"sts:TagSession"}:  # which always comes with AssumeRole, and knows none
            faults.append(f"{place}: needs a source identity")
        only_ours = tests.get("aws:TagKeys") == ("ForAllValues:StringEquals", ["jti", "team"])
        if "sts:TagSession" in done and not only_ours:
            faults.append(f"{place}: takes any tags")
        with_token = tests.get("aws:RequestTag/jti") == ("StringLike", "?*")
        if policy.name == "trust-persona" and "sts:AssumeRole" in done and not with_token:
            faults.append(f"{place}: needs no token")
        if not re.fullmatch(
            r"arn:aws:iam::\d{12}:role/smas-(service|worker)", statement["Principal"].get("AWS", "")
        ):
            faults.append(f"{place}: trusts others")
    return faults


RULES: tuple[Rule, ...] = (
    is_valid_json,
    has_unique_sids,
    has_known_elements,
    names_real_actions,
    allows_no_wildcard_action,
    allows_no_wildcard_resource,
    allows_no_anonymous,
    bounds_objects_and_lists,
    keeps_teams_apart,
    lists_only_prefixes,
    lists_only_what_it_reads,
    reads_the_trail_only_as_an_auditor,
    uses_keys_only_through_s3,
    tags_only_as_verifier,
    allows_nothing_that_is_nobodys,
    fits_into_iam,
    trusts_only_the_named,
)
