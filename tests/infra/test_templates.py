"""The policy templates, each and together, held to the rules; and each rule, to finding fault."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from smas_emulator.iam.documents import Policy as Compiled
from smas_emulator.policies import Placeholders

from tests.infra import policy_rules as rules
from tests.infra.golden import FOLDER, golden
from tests.infra.policy_rules import LOGS, RULES, SERVICE_LOG, TEAM, TRAIL, fault_in_pattern
from tests.infra.rendering import AWS_NAMES, BUCKET, NAMES, ONLY_ON_AWS, TEMPLATES, Policy, rendered

if TYPE_CHECKING:
    from tests.infra.policy_rules import Rule

BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
EVERY = (*NAMES, *AWS_NAMES)


@pytest.mark.parametrize("name", EVERY)
def test_a_policy_is_what_it_was(name: str) -> None:
    """No template changes what is deployed unseen; ``python -m tests.infra.golden`` writes the files anew."""
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == golden(name)


def test_every_template_is_known_and_kept() -> None:
    """A template nobody renders protects nothing, and one without rules may allow anything."""
    assert {path.stem for path in TEMPLATES.iterdir()} == set(EVERY)
    assert {path.stem for path in FOLDER.iterdir()} == set(EVERY)


def named_in(*names: str) -> set[str]:
    """What these templates want to be told."""
    text = "".join((TEMPLATES / f"{name}.json").read_text(encoding="utf-8") for name in names)
    return set(re.findall(r"(?<!\$)\$\{(\w+)\}", text))


def test_every_placeholder_has_a_use() -> None:
    """What the templates name is what renderers have to give, no more and no less."""
    shared = {each.name for each in fields(Placeholders)}
    assert named_in(*NAMES) == shared
    assert named_in(*AWS_NAMES) - shared == set(ONLY_ON_AWS)


def test_variables_are_those_a_session_has() -> None:
    """IAM resolves an unknown variable to nothing, silently."""

    def variables(names: tuple[str, ...]) -> set[str]:
        return set(re.findall(r"\$\{([^}]*)\}", "".join(rendered(name).text for name in names)))

    assert variables(NAMES) == {"aws:PrincipalTag/team", "aws:SourceIdentity"}
    assert variables(AWS_NAMES) == {"aws:PrincipalTag/team", "aws:PrincipalTag/person"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_every_policy_keeps_every_rule(name: str, rule: Rule) -> None:
    """The rules say for whom they hold."""
    assert rule(rendered(name)) == []


@pytest.mark.parametrize("name", EVERY)
def test_every_policy_is_understood(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The local AWS knows all its operators; one that it did not know would deny, and few would see why."""
    statements = Compiled.parse(rendered(name).text).statements
    assert [each.sid for each in statements if not each.understood] == []
    assert len(statements) == len(rendered(name).statements)
    assert caplog.records == []


def allow(**changed: Any) -> dict[str, Any]:
    """A statement that keeps the rules of a team's persona, changed; None removes an element."""
    statement = {
        "Sid": "Read",
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": [f"{BUCKET_ARN}/cards/{TEAM}/*"],
        **changed,
    }
    return {name: value for name, value in statement.items() if value is not None}


def lists(prefix: str, **changed: Any) -> dict[str, Any]:
    """A list of a prefix, changed."""
    condition = {"StringLike": {"s3:prefix": [prefix]}}
    return allow(**{"Action": ["s3:ListBucket"], "Resource": [BUCKET_ARN], "Condition": condition, **changed})


def trust(**changed: Any) -> dict[str, Any]:
    """A statement that keeps the rules of a trust policy, changed."""
    statement = {
        "Principal": {"AWS": "arn:aws:iam::111122223333:role/smas-service"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Resource": None,
        "Condition": {
            "StringLike": {"sts:SourceIdentity": "?*", "aws:RequestTag/jti": "?*"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["jti", "team"]},
        },
    }
    return allow(**{**statement, **changed})


def reads_trail(**changed: Any) -> dict[str, Any]:
    """A statement that reads the trail's files as its readers do, changed."""
    return allow(**{"Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": [LOGS], **changed})


def policy(*statements: dict[str, Any], name: str = "persona-approver", **document: Any) -> Policy:
    """A policy of these statements."""
    return Policy(name, json.dumps({"Version": "2012-10-17", "Statement": list(statements), **document}))


NAMED_TWICE = '{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Deny", "Effect": "Allow"}]}'
LARGE = allow(Resource=[f"{BUCKET_ARN}/cards/{TEAM}/{number:09d}/*" for number in range(160)])
ROOT_ONLY = {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": "*"}
VIA_S3 = {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}
BYTES_KEY = "arn:aws:kms:eu-central-1:111122223333:key/bytes"
TRAIL_FOLDER = LOGS.removeprefix(f"{TRAIL}/")
LISTING = ["s3:ListBucket", "s3:ListBucketVersions"]
TAGS = ["s3:PutObjectVersionTagging"]
TAGS_ONLY = {"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["smas-release", "smas-state"]}}

BROKEN: list[tuple[Rule, Policy]] = [
    (rules.is_valid_json, policy(allow(), Version="2008-10-17")),
    (rules.is_valid_json, policy(allow(), Comment="x")),
    (rules.is_valid_json, Policy("persona-approver", NAMED_TWICE)),
    (rules.has_unique_sids, policy(allow(), allow())),
    (rules.has_unique_sids, policy(allow(Sid=None))),
    (rules.has_unique_sids, policy(allow(Sid="Not allowed"))),
    (rules.has_known_elements, policy(allow(Effect="allow"))),
    (rules.has_known_elements, policy(allow(Resource=None))),
    (rules.has_known_elements, policy(allow(Resources=[]))),
    (rules.has_known_elements, policy(allow(Action=None, NotAction=["s3:PutObject"]))),
    (rules.has_known_elements, policy(allow(Resource=None, NotResource=["x"]))),
    (rules.has_known_elements, policy(allow(Principal="*"))),
    (rules.has_known_elements, policy(allow(), name="bucket")),
    (rules.has_known_elements, policy(allow(Condition={"StringEqual": {"s3:prefix": "x"}}))),
    (rules.has_known_elements, policy(allow(Condition={"StringNotEqualsIfExists": {"s3:prefix": "x"}}))),
    (
        rules.has_known_elements,
        policy(allow(Condition={"StringEquals": {"s3:ExistingObjectTag/smas-stat": "x"}})),
    ),
    (rules.names_real_actions, policy(allow(Action=["s3:GetObjekt"]))),
    (rules.names_real_actions, policy(allow(Action=["s3:ListObjectsV2"]))),
    (rules.names_real_actions, policy(allow(Action=["S3GetObject"]))),
    (rules.names_real_actions, policy(allow(Action=["kms:ReEncrypt"]))),
    (rules.allows_no_wildcard_action, policy(allow(Action=["*"]))),
    (rules.allows_no_wildcard_action, policy(allow(Action=["s3:*"]))),
    (rules.allows_no_wildcard_action, policy(allow(Action="s3:Get*"))),
    (rules.allows_no_wildcard_action, policy(allow(Action="*", **ROOT_ONLY), name="kms-bytes")),
    (
        rules.allows_no_wildcard_action,
        policy(allow(Action="kms:*", Principal={"AWS": "x"}), name="kms-bytes"),
    ),
    (rules.allows_no_wildcard_resource, policy(allow(Resource="*"))),
    (rules.allows_no_wildcard_resource, policy(allow(Resource=["arn:aws:s3:::*"]))),
    (
        rules.allows_no_wildcard_resource,
        policy(allow(Resource=["arn:aws:iam::111122223333:role/*"]), name="service"),
    ),
    (rules.allows_no_anonymous, policy(allow(Principal="*"), name="bucket")),
    (rules.allows_no_anonymous, policy(allow(Principal={"AWS": ["x", "*"]}), name="bucket")),
    (rules.bounds_objects_and_lists, policy(allow(Resource=[f"{BUCKET_ARN}/*"]))),
    (rules.bounds_objects_and_lists, policy(allow(Resource=[f"{BUCKET_ARN}/cards*"]))),
    (rules.bounds_objects_and_lists, policy(lists("*"))),
    (rules.bounds_objects_and_lists, policy(lists(f"cards/{TEAM}*"))),
    (rules.keeps_teams_apart, policy(allow(Resource=[f"{BUCKET_ARN}/cards/*"]))),
    (rules.keeps_teams_apart, policy(allow(Resource=[f"{BUCKET_ARN}/cards/all/{TEAM}/*"]))),
    (rules.keeps_teams_apart, policy(lists("cards/*"))),
    (rules.keeps_teams_apart, policy(allow(), name="persona-auditor")),
    (rules.lists_only_prefixes, policy(lists("cards/", Condition=None))),
    (rules.lists_only_prefixes, policy(lists(f"cards/{TEAM}"))),
    (
        rules.lists_only_prefixes,
        policy(lists(f"cards/{TEAM}/*", Action=["s3:ListBucket", "s3:GetBucketPolicy"])),
    ),
    (
        rules.lists_only_prefixes,
        policy(allow(Action=["s3:ListBucketMultipartUploads"], Resource=[BUCKET_ARN])),
    ),
    (rules.lists_only_what_it_reads, policy(lists(f"cards/{TEAM}/*"))),
    (rules.lists_only_what_it_reads, policy(allow(), lists("cards/*", Sid="List"))),
    (rules.lists_only_what_it_reads, policy(lists(TRAIL_FOLDER, Resource=[TRAIL]), name="watch")),
    (
        rules.lists_only_what_it_reads,
        policy(allow(Action=["s3:GetObjectTagging"]), lists(f"cards/{TEAM}/*", Sid="List")),
    ),
    (rules.reads_the_trail_only_as_an_auditor, policy(allow(Resource=[LOGS]))),
    (
        rules.reads_the_trail_only_as_an_auditor,
        policy(allow(Action=["s3:DeleteObject"], Resource=[LOGS]), name="watch"),
    ),
    (rules.reads_the_trail_only_as_an_auditor, policy(reads_trail(Resource=[f"{TRAIL}/*"]), name="watch")),
    (
        rules.reads_the_trail_only_as_an_auditor,
        policy(lists(f"{TRAIL_FOLDER[:-1]}Other/*", Resource=[TRAIL]), name="watch"),
    ),
    (
        rules.reads_the_trail_only_as_an_auditor,
        policy(allow(Action=["cloudtrail:LookupEvents"], Resource="*"), name="watch"),
    ),
    (
        rules.reads_the_trail_only_as_an_auditor,
        policy(allow(Action=["logs:FilterLogEvents"], Resource=["*"]), name="persona-auditor"),
    ),
    (
        rules.reads_the_trail_only_as_an_auditor,
        policy(allow(Action=["logs:DeleteLogGroup"], Resource=[SERVICE_LOG]), name="persona-auditor"),
    ),
    (rules.uses_keys_only_through_s3, policy(allow(Action=["kms:Decrypt"], Resource=[BYTES_KEY]))),
    (
        rules.uses_keys_only_through_s3,
        policy(allow(Action="kms:Decrypt", Condition={"StringLike": VIA_S3["StringEquals"]})),
    ),
    (rules.tags_only_as_verifier, policy(allow(Action=["s3:GetObject", "s3:PutObjectTagging"]))),
    (
        rules.tags_only_as_verifier,
        policy(allow(Action=["s3:DeleteObjectVersionTagging"]), name="verifier-scanning"),
    ),
    (
        rules.tags_only_as_verifier,
        policy(allow(Action=TAGS, Resource=f"{BUCKET_ARN}/blobs/*"), name="verifier-tagging"),
    ),
    (
        rules.tags_only_as_verifier,
        policy(
            allow(Action=TAGS, Resource=f"{BUCKET_ARN}/cards/*", Condition=TAGS_ONLY), name="verifier-tagging"
        ),
    ),
    (rules.allows_nothing_that_is_nobodys, policy(allow(Action=["s3:DeleteObjectVersion"]))),
    (rules.allows_nothing_that_is_nobodys, policy(allow(Action=["s3:BypassGovernanceRetention"]))),
    (rules.allows_nothing_that_is_nobodys, policy(allow(Action=["s3:PutBucketPolicy"]))),
    (rules.allows_nothing_that_is_nobodys, policy(allow(Action=["s3:PutLifecycleConfiguration"]))),
    (rules.allows_nothing_that_is_nobodys, policy(allow(Action=["iam:PassRole"]))),
    (rules.fits_into_iam, policy(LARGE)),
    (rules.fits_into_iam, policy(*[trust()] * 12, name="trust-persona")),
    (rules.fits_into_iam, policy(LARGE, LARGE, name="bucket")),
    (rules.trusts_only_the_named, policy(trust(Condition={}), name="trust-persona")),
    (
        rules.trusts_only_the_named,
        policy(trust(Condition={"StringLike": {"sts:SourceIdentity": "*"}}), name="trust-persona"),
    ),
    (
        rules.trusts_only_the_named,
        policy(trust(Condition={"StringLike": {"sts:SourceIdentity": "?*"}}), name="trust-persona"),
    ),
    (
        rules.trusts_only_the_named,
        policy(
            trust(
                Condition={
                    "StringLike": {"sts:SourceIdentity": "?*"},
                    "ForAllValues:StringEquals": {"aws:TagKeys": ["jti", "team"]},
                }
            ),
            name="trust-persona",
        ),
    ),
    (
        rules.trusts_only_the_named,
        policy(
            trust(Action=["sts:AssumeRole"], Condition={"StringLike": {"sts:SourceIdentity": "?*"}}),
            name="trust-persona",
        ),
    ),
    (
        rules.trusts_only_the_named,
        policy(trust(Action=["sts:TagSession"], Condition={}), name="trust-persona"),
    ),
    (
        rules.trusts_only_the_named,
        policy(trust(Principal={"AWS": "arn:aws:iam::111122223333:root"}), name="trust-persona"),
    ),
]


@pytest.mark.parametrize(("rule", "broken"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_every_rule_finds_what_it_forbids(rule: Rule, broken: Policy) -> None:
    """Each of these policies breaks a rule, and the rule says so."""
    assert rule(broken) != []


def test_every_rule_is_shown_to_find_something() -> None:
    """A rule that cannot fail would hold nothing."""
    assert {rule for rule, _ in BROKEN} == set(RULES)


def test_what_the_broken_ones_were_made_of_breaks_no_rule() -> None:
    """So each of them is refused for its change alone."""
    sound = [
        policy(allow(), lists(f"cards/{TEAM}/*", Sid="List")),
        policy(
            reads_trail(), lists(TRAIL_FOLDER, Sid="List", Action=LISTING, Resource=[TRAIL]), name="watch"
        ),
        policy(allow(Action=["logs:FilterLogEvents"], Resource=[SERVICE_LOG]), name="persona-auditor"),
        policy(allow(Action=["cloudtrail:ListPublicKeys"], Resource="*"), name="persona-auditor"),
        policy(allow(Action=["kms:Decrypt"], Resource=[BYTES_KEY], Condition=VIA_S3)),
        policy(trust(), name="trust-persona"),
        policy(allow(Action="kms:*", **ROOT_ONLY), name="kms-bytes"),
        policy(
            allow(Action=TAGS, Resource=f"{BUCKET_ARN}/blobs/*", Condition=TAGS_ONLY), name="verifier-tagging"
        ),
    ]
    assert [rule(each) for each in sound for rule in RULES] == [[]] * len(sound) * len(RULES)


@pytest.mark.parametrize(
    "pattern",
    ["cards/*", f"cards/{TEAM}/*", f"authors/{TEAM}/*/me.json", "cards/fraud/m.json", "blobs/a/b/*"],
)
def test_a_pattern_of_one_folder_is_sound(pattern: str) -> None:
    """The kind, perhaps the team, and one ``*`` that is the last segment or before a fixed last one."""
    assert fault_in_pattern(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "",
        "cards",
        "cards*",
        "cards/",
        "card/*",
        "*/cards",
        "cards/fraud*",
        "cards/*/x/*",
        "cards/*/*",
        "cards/*/x/y",
        "cards//*",
        "cards/?",
        "Cards/*",
    ],
)
def test_any_other_pattern_is_not(pattern: str) -> None:
    """Each of these matches keys of another kind, team or depth than it seems to."""
    assert fault_in_pattern(pattern) is not None
