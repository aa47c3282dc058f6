"""The policies that only AWS has, held to their rules; and each rule, to finding fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from smas_emulator.gateway.principals import Root, ServicePrincipal
from smas_emulator.iam.documents import Policy as Compiled
from smas_emulator.iam.evaluation import Request, decide

from tests.infra import aws_rules as rules
from tests.infra import policy_rules
from tests.infra.evaluation import compiled, session
from tests.infra.rendering import AWS_NAMES, BUCKET, PLACEHOLDERS, ROLES, VALUES, Policy, rendered

if TYPE_CHECKING:
    from collections.abc import Callable

    from smas_emulator.gateway.principals import Principal

    from tests.infra.policy_rules import Rule

    Change = Callable[[list[dict[str, Any]]], object]

ACCOUNT = PLACEHOLDERS.account
KEY = "arn:aws:kms:eu-central-1:111122223333:key/operations"


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", AWS_NAMES)
def test_every_policy_keeps_every_rule(name: str, rule: Rule) -> None:
    """The rules say for whom they hold."""
    assert rule(rendered(name)) == []


def broken(name: str, change: Change) -> Policy:
    """A policy as it is, with something changed in its statements."""
    document = rendered(name).document
    change(document["Statement"])
    return Policy(name, json.dumps(document))


def put(index: int, element: str, value: Any) -> Change:
    """A change: this element of that statement is another; None removes it."""

    def change(statements: list[dict[str, Any]]) -> None:
        statements[index][element] = value
        if value is None:
            del statements[index][element]

    return change


TEAM = "${aws:PrincipalTag/team}"
BROKEN: list[tuple[Rule, str, Change]] = [
    (rules.stays_inside, "function", put(0, "Resource", "*")),
    (rules.stays_inside, "replication", put(2, "Resource", ["arn:aws:s3:::*"])),
    (rules.services_ask_for_us, "kms-operations", put(1, "Condition", None)),
    (
        rules.services_ask_for_us,
        "kms-operations",
        put(2, "Condition", {"StringEquals": {"aws:SourceAccount": "9"}}),
    ),
    (rules.services_ask_for_us, "kms-operations", put(3, "Condition", None)),
    (
        rules.services_ask_for_us,
        "access-log-bucket",
        put(0, "Condition", {"ArnLike": {"aws:SourceArn": "*"}}),
    ),
    (rules.services_ask_for_us, "alarms-topic", put(0, "Condition", None)),
    (rules.services_ask_for_us, "trust-lambda", put(0, "Condition", None)),
    (rules.people_come_as_themselves, "trust-people", put(0, "Principal", {"AWS": "*"})),
    (rules.people_come_as_themselves, "trust-people", put(2, "Condition", {"StringEquals": {}})),
    (rules.people_come_as_themselves, "trust-people", put(1, "Condition", {})),
    (rules.people_come_as_themselves, "trust-people-global", put(1, "Action", ["sts:TagSession"])),
    (rules.roles_of_services_do_one_thing, "function", put(0, "Action", ["logs:DeleteLogGroup"])),
    (rules.roles_of_services_do_one_thing, "replication", put(2, "Action", ["s3:ReplicateDelete"])),
    (
        rules.copies_from_here_to_there,
        "replication",
        put(1, "Resource", ["arn:aws:s3:::smas-models-replica/*"]),
    ),
    (rules.copies_from_here_to_there, "replication", put(2, "Resource", ["arn:aws:s3:::smas-models/*"])),
    (rules.copies_from_here_to_there, "replication", put(3, "Condition", None)),
    (rules.uses_keys_only_through_a_service, "function-queues", put(1, "Condition", None)),
    (rules.uses_keys_only_through_a_service, "athena-reader", put(7, "Resource", ["*"])),
    (rules.asks_and_changes_nothing, "athena-reader", put(2, "Action", ["s3:DeleteObject"])),
    (rules.asks_and_changes_nothing, "athena-reader", put(1, "Action", ["glue:UpdateTable"])),
    (rules.asks_and_changes_nothing, "athena-reader", put(2, "Resource", ["arn:aws:s3:::smas-models/*"])),
    (rules.refuses_open_connections, "events-dead-queue", put(0, "Condition", {})),
    (rules.refuses_open_connections, "access-log-bucket", lambda statements: statements.pop()),
    (rules.refuses_open_connections, "alarms-topic", lambda statements: statements.pop()),
]


@pytest.mark.parametrize(("rule", "name", "change"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_every_rule_finds_what_it_forbids(rule: Rule, name: str, change: Change) -> None:
    """Each of these changes to a policy breaks a rule, and the rule says so."""
    assert rule(broken(name, change)) != []


def test_every_rule_is_shown_to_find_something() -> None:
    """A rule that cannot fail would hold nothing; the rules for all policies are shown with those."""
    assert {rule for rule, *_ in BROKEN} == set(rules.RULES) - set(policy_rules.RULES)


def given(name: str, caller: Principal, request: Request) -> bool:
    """Whether a thing's policy gives that to somebody whose own policies would allow all of it."""
    everything = Compiled.parse('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
    return decide(request, caller, identity=[everything], resource=compiled(name)).allowed


LOG = (
    f"arn:aws:s3:::{VALUES['access_log_bucket']}/models/111122223333/eu-central-1/smas-models/2026/11/24/log"
)
LOGGED = {
    "aws:SecureTransport": "true",
    "aws:SourceArn": f"arn:aws:s3:::{BUCKET}",
    "aws:SourceAccount": ACCOUNT,
}


@pytest.mark.parametrize(
    ("service", "changed", "accepted"),
    [
        ("logging.s3.amazonaws.com", {}, True),
        ("logging.s3.amazonaws.com", {"aws:SourceArn": "arn:aws:s3:::another"}, False),
        ("logging.s3.amazonaws.com", {"aws:SourceAccount": "999999999999"}, False),
        ("logging.s3.amazonaws.com", {"aws:SecureTransport": "false"}, False),
        ("delivery.logs.amazonaws.com", {}, False),
    ],
)
def test_buckets_of_ours_log_their_accesses(service: str, changed: dict[str, str], accepted: bool) -> None:
    """Log delivery writes for our buckets alone, and no other service does."""
    assert given(
        "access-log-bucket", ServicePrincipal(service), Request("s3:PutObject", LOG, {**LOGGED, **changed})
    ) is (accepted)


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"])
def test_nobody_touches_an_access_log(action: str) -> None:
    """Not even root, whatever else allows it; only the lifecycle, which asks no policy, removes old ones."""
    everybody: list[Principal] = [*map(session, ROLES), Root(ACCOUNT, "AKIAROOT")]
    assert not any(given("access-log-bucket", each, Request(action, LOG, LOGGED)) for each in everybody)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ["kms:Sign", "kms:CreateGrant"])
def test_only_the_verifier_signs(role: str, action: str) -> None:
    """Even a role that was given the key by mistake makes no signature; anybody may check one."""
    assert given("kms-signing", session(role), Request(action, KEY)) is (role == "verifier-tagging")
    assert given("kms-signing", session(role), Request("kms:GetPublicKey", KEY))


LOG_GROUP = "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/service"
ALARM = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:smas-5xx"


@pytest.mark.parametrize(
    ("service", "context", "accepted"),
    [
        ("logs.eu-central-1.amazonaws.com", {"kms:EncryptionContext:aws:logs:arn": LOG_GROUP}, True),
        (
            "logs.eu-central-1.amazonaws.com",
            {"kms:EncryptionContext:aws:logs:arn": f"{LOG_GROUP[:-12]}other"},
            False,
        ),
        ("logs.eu-west-1.amazonaws.com", {"kms:EncryptionContext:aws:logs:arn": LOG_GROUP}, False),
        ("logs.eu-central-1.amazonaws.com", {}, False),
        ("s3.amazonaws.com", LOGGED, True),
        ("s3.amazonaws.com", {**LOGGED, "aws:SourceArn": "arn:aws:s3:::another"}, False),
        ("s3.amazonaws.com", {**LOGGED, "aws:SourceAccount": "999999999999"}, False),
        ("cloudwatch.amazonaws.com", {"aws:SourceArn": ALARM, "aws:SourceAccount": ACCOUNT}, True),
        ("cloudwatch.amazonaws.com", {"aws:SourceArn": ALARM, "aws:SourceAccount": "999999999999"}, False),
        ("sns.amazonaws.com", {"aws:SourceAccount": ACCOUNT}, False),
    ],
)
def test_services_use_the_operations_key_for_us(
    service: str, context: dict[str, str], accepted: bool
) -> None:
    """For our log groups, our bucket and our alarms, and no other service for anything."""
    caller = ServicePrincipal(service)
    assert given("kms-operations", caller, Request("kms:GenerateDataKey", KEY, context)) is accepted
