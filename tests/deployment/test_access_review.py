"""The access review: everybody, with every role they hold and where it comes from."""

from __future__ import annotations

import csv
import io
import json
from argparse import Namespace
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from deployment import store
from deployment.access_review import as_csv, as_json, as_table, review, run
from deployment.entitlements import provided, role_of
from deployment.errors import DeploymentError
from deployment.store import Copy, Store
from service.aws_lambda.token_groups import Person, groups_of, listed
from service.domain.access import parse_grant
from tests.deployment.fake_aws import FakeAws, paged
from tests.infra.rendering import rendered

if TYPE_CHECKING:
    from deployment import access_review

CREATED = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
STORE = Store(
    name="smas",
    partition="aws",
    account="111122223333",
    region="eu-central-1",
    bucket="smas-models",
    user_pool_id="eu-central-1_pool",
    provider_groups={"Bank": {"ML-Fraud": ["data-scientist@fraud"], "Audit": ["auditor"]}},
)


@dataclass
class Pool:
    """A user pool and the account's roles, in pages of sixty as Cognito has them."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    clients: list[dict[str, Any]] = field(default_factory=list)
    trusts: dict[str, dict[str, Any]] = field(default_factory=dict)
    mfa: str = "ON"

    def add(
        self, name: str, *groups: str, status: str = "CONFIRMED", enabled: bool = True, **said: str
    ) -> None:
        """A user, in these groups."""
        attributes = {"sub": f"sub-of-{name}", "email": f"{name}@example.com", **said}
        self.users[name] = {
            "Username": name,
            "Attributes": [
                {"Name": key.replace("_", ":"), "Value": value} for key, value in attributes.items()
            ],
            "Enabled": enabled,
            "UserStatus": status,
            "UserCreateDate": CREATED,
            "UserLastModifiedDate": CREATED,
        }
        for group in groups:
            self.groups.setdefault(group, []).append(name)

    def aws(self) -> FakeAws:
        """The AWS that they are asked of."""
        return FakeAws(
            {
                "GetUserPoolMfaConfig": lambda _: {"MfaConfiguration": self.mfa},
                "ListUsers": lambda asked: paged(
                    [*self.users.values()], asked, "Users", "PaginationToken", 60
                ),
                "ListGroups": lambda asked: paged(
                    [{"GroupName": name} for name in self.groups], asked, "Groups", "NextToken", 60
                ),
                "ListUsersInGroup": lambda asked: paged(
                    [self.users[name] for name in self.groups[asked["GroupName"]]],
                    asked,
                    "Users",
                    "NextToken",
                    60,
                ),
                "AdminGetUser": lambda asked: {
                    "Username": asked["Username"],
                    "UserMFASettingList": ["SOFTWARE_TOKEN_MFA"] if asked["Username"] == "ada" else [],
                },
                "ListUserPoolClients": lambda asked: paged(
                    self.clients, asked, "UserPoolClients", "NextToken", 60
                ),
                "DescribeUserPoolClient": lambda asked: {
                    "UserPoolClient": next(
                        each for each in self.clients if each["ClientId"] == asked["ClientId"]
                    )
                },
                "GetBucketPolicy": lambda _: {"Policy": rendered("bucket").text},
                "GetRole": self._role,
            }
        )

    def _role(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["RoleName"]
        trust = (
            self.trusts.get(name.removeprefix("smas-"))
            or rendered(
                "trust-lambda" if name in {"smas-service", "smas-worker"} else "trust-persona"
            ).document
        )
        text = quote(json.dumps(trust))  # as IAM writes it
        return {"Role": {"RoleName": name, "AssumeRolePolicyDocument": text, "CreateDate": CREATED}}


@pytest.fixture
def pool() -> Pool:
    """A pool of nobody."""
    return Pool()


def taken(pool: Pool, **options: Any) -> access_review.Review:
    """The review of a pool."""
    return review(STORE, pool.aws(), **options)  # type: ignore[arg-type]


def held(pool: Pool, kind: str = "person") -> list[tuple[str, str, str]]:
    """Who, role and team of each row of a kind."""
    return [(row.who, row.role, row.team) for row in taken(pool).rows if row.kind == kind]


def remarks(pool: Pool, who: str) -> set[str]:
    """What is remarked of somebody."""
    return {remark for row in taken(pool).rows if row.who == who for remark in row.remarks}


def test_everybody_is_there_once_a_role(pool: Pool) -> None:
    """Who holds none, too: an account that nobody needs is a finding."""
    pool.add("ada", "data-scientist@fraud", "data-scientist@nlp")
    pool.add("bo", "auditor")
    pool.add("cy")

    assert held(pool) == [
        ("ada", "data-scientist", "fraud"),
        ("ada", "data-scientist", "nlp"),
        ("bo", "auditor", ""),
        ("cy", "", ""),
    ]
    assert remarks(pool, "cy") == {"no role"}
    assert remarks(pool, "ada") == set()


def test_a_group_that_is_no_role_gives_none(pool: Pool) -> None:
    """The service takes no notice of it, and its members are not even asked for."""
    pool.add("ada", "eu-central-1_pool_Bank", "auditor@fraud", "data-scientist", "Auditor")

    aws = pool.aws()
    rows = review(STORE, aws, each_device=False).rows  # type: ignore[arg-type]

    assert [(row.who, row.role) for row in rows if row.kind == "person"] == [("ada", "")]
    assert "ListUsersInGroup" not in aws.calls


@pytest.mark.parametrize(
    "text",
    ["auditor", "auditor@fraud", "approver@fraud", "approver", "approver@", "root@fraud", "", "custodian@"],
)
def test_a_name_gives_the_role_that_the_service_takes_it_for(text: str) -> None:
    """Not more, and not less."""
    grant = parse_grant(text)
    assert role_of(text) == (None if grant is None else (grant.role.value, grant.team or ""))


def test_thousands_of_users_take_pages_and_not_calls_of_their_own(pool: Pool) -> None:
    """Sixty at a time, in the pool and in each group."""
    for number in range(3_000):
        pool.add(f"user-{number:04d}", "data-scientist@fraud")
    aws = pool.aws()

    rows = review(STORE, aws).rows  # type: ignore[arg-type]

    assert len([row for row in rows if row.kind == "person"]) == 3_000
    assert aws.calls.count("ListUsers") == aws.calls.count("ListUsersInGroup") == 50
    assert "AdminGetUser" not in aws.calls


def test_a_second_factor_is_what_the_pool_demands_or_what_a_person_has(pool: Pool) -> None:
    """By the pool's rule in no call, by name in one call a user; a provider's people have it there."""
    pool.add("ada", "auditor")
    pool.add("bo", "auditor")
    pool.add("Bank_cy", status="EXTERNAL_PROVIDER", identities='[{"providerName": "Bank"}]')

    def factors(**options: Any) -> dict[str, str]:
        return {row.who: row.mfa for row in taken(pool, **options).rows if row.kind == "person"}

    assert factors() == {"Bank_cy": "by the provider", "ada": "required", "bo": "required"}
    assert factors(each_device=True) == {
        "Bank_cy": "by the provider",
        "ada": "SOFTWARE_TOKEN_MFA",
        "bo": "none",
    }
    pool.mfa = "OPTIONAL"
    assert remarks(pool, "ada") == {"second factor not required"}


def test_people_of_a_provider_have_what_its_groups_mean(pool: Pool) -> None:
    """And not the groups of the pool, which mean nothing for them."""
    identities = '[{"providerName": "Bank"}]'
    pool.add(
        "Bank_ada",
        "approver@fraud",
        status="EXTERNAL_PROVIDER",
        identities=identities,
        custom_groups="[ML-Fraud, x]",
    )

    (row,) = [row for row in taken(pool).rows if row.kind == "person"]

    assert (row.role, row.team, row.through) == ("data-scientist", "fraud", "Bank's group ML-Fraud")
    assert row.remarks == ("groups of the pool do not count for people of a provider",)


@pytest.mark.parametrize(
    "said", ["", "ML-Fraud", "[ML-Fraud, Audit]", '["Audit"]', "Audit,,x", '["a", 1]', "[[Audit]]"]
)
@pytest.mark.parametrize("providers", [(), ("Bank",), ("Bank", "Other"), ("Other",)])
@pytest.mark.parametrize("status", ["EXTERNAL_PROVIDER", "CONFIRMED"])
def test_it_is_the_rule_of_the_pools_trigger(said: str, providers: tuple[str, ...], status: str) -> None:
    """What the review says of people of a provider is what their next token will say."""
    mapped = {
        provider: {group: tuple(roles) for group, roles in groups.items()}
        for provider, groups in STORE.provider_groups.items()
    }
    person = Person(federated=status == "EXTERNAL_PROVIDER", providers=providers, said=said, pool_groups=())
    assert listed("Audit") == ("Audit",)
    assert set(provided(said, providers, status, STORE.provider_groups)) == set(groups_of(person, mapped))


def test_what_somebody_should_look_at_is_said(pool: Pool) -> None:
    """Disabled but still in a group, never signed in, both sides of four eyes, barred."""
    pool.add("ada", "data-scientist@fraud", enabled=False)
    pool.add("bo", "auditor", status="FORCE_CHANGE_PASSWORD")
    pool.add("cy", "data-scientist@fraud", "approver@fraud", "approver@nlp")
    pool.add("dee", "auditor", sub="sub-of-the-barred")

    assert remarks(pool, "ada") == {"disabled, still holds the role"}
    assert remarks(pool, "bo") == {"never signed in"}
    assert remarks(pool, "cy") == {"publishes and approves in fraud"}
    assert [row.remarks for row in taken(pool).rows if (row.who, row.team) == ("cy", "nlp")] == [()]
    assert remarks(pool, "dee") == {"barred"}


def test_a_machine_has_its_scopes(pool: Pool) -> None:
    """Clients that people sign in with are none."""
    pool.clients = [
        {"ClientId": "people", "ClientName": "smas-people", "AllowedOAuthFlows": ["code"]},
        {
            "ClientId": "abc",
            "ClientName": "smas-machine-ci",
            "AllowedOAuthFlows": ["client_credentials"],
            "AllowedOAuthScopes": ["smas/data-scientist@fraud", "smas/deployer@nlp"],
        },
    ]
    assert held(pool, "machine") == [
        ("smas-machine-ci", "data-scientist", "fraud"),
        ("smas-machine-ci", "deployer", "nlp"),
    ]


def test_whoever_may_assume_a_role_in_iam_is_named(pool: Pool) -> None:
    """The service and Lambda as ever; others stand out."""
    service, stranger = "arn:aws:iam::111122223333:role/smas-service", "arn:aws:iam::111122223333:user/eve"
    assert {who for who, _, _ in held(pool, "iam")} == {service, "lambda.amazonaws.com"}
    assert remarks(pool, service) == remarks(pool, "lambda.amazonaws.com") == set()

    allow = {"Sid": "Mine", "Effect": "Allow", "Action": "sts:AssumeRole"}
    pool.trusts["worker"] = {"Statement": {**allow, "Principal": {"AWS": [stranger, "AIDAGONE"]}}}
    pool.trusts["auditor"] = {
        "Statement": [{**allow, "Principal": "*"}, {**allow, "Effect": "Deny", "Principal": "x"}]
    }

    assert remarks(pool, stranger) == {"not a part of the store"}
    assert remarks(pool, "*") == {"anybody there"}
    assert ("*", "auditor", "") in held(pool, "iam")
    assert "x" not in {who for who, _, _ in held(pool, "iam")}


def test_a_team_has_its_own_part(pool: Pool) -> None:
    """For the person who answers for it."""
    pool.add("ada", "data-scientist@fraud", "data-scientist@nlp")
    pool.add("bo", "auditor")
    assert [(row.who, row.team) for row in taken(pool).of_team("nlp").rows] == [("ada", "nlp")]


def test_csv_and_json_have_the_same_rows(pool: Pool) -> None:
    """One for each user and role, every column filled or empty."""
    pool.add("ada", "data-scientist@fraud")
    found = taken(pool)
    lines = list(csv.DictReader(io.StringIO(as_csv(found))))
    document = json.loads(as_json(found))

    assert len(lines) == len(document["entitlements"]) == len(found.rows)
    assert lines[0]["who"] == document["entitlements"][0]["who"] == "ada"
    assert (lines[0]["created"], document["entitlements"][0]["created"]) == (
        "2026-01-02T03:04Z",
        "2026-01-02T03:04:00+00:00",
    )
    assert document["store"] == "smas"


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)"])
def test_no_cell_is_a_formula(pool: Pool, name: str) -> None:
    """Names are chosen by others, and the file is opened in a spreadsheet."""
    pool.add(name, "auditor")
    lines = csv.DictReader(io.StringIO(as_csv(taken(pool))))
    assert next(lines)["who"] == f"'{name}"


def test_the_table_is_for_people(pool: Pool) -> None:
    """A name that others chose does not move the cursor."""
    pool.add("ada\x1b[2J", "data-scientist@fraud")
    text = as_table(taken(pool))
    assert "ada?[2J" in text
    assert "\x1b" not in text
    assert "People (1)" in text
    assert "IAM: who may assume which role (2)" in text


@pytest.mark.parametrize(
    ("letting_in", "who"),
    [
        ({"Action": "sts:*", "Principal": {"AWS": "eve"}}, "eve"),
        ({"Action": ["STS:assumerole"], "Principal": {"AWS": "eve"}}, "eve"),
        ({"Action": "*", "Principal": {"AWS": "eve"}}, "eve"),
        ({"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "eve"}}, "eve"),
        ({"NotAction": "sts:TagSession", "Principal": {"AWS": "eve"}}, "eve"),
        ({"Action": "sts:AssumeRole", "NotPrincipal": {"AWS": "ada"}}, "*"),
    ],
)
def test_whoever_is_let_in_by_a_wildcard_is_named(pool: Pool, letting_in: dict[str, Any], who: str) -> None:
    """IAM reads actions in any case and with wildcards, and so must whoever reviews them."""
    pool.trusts["auditor"] = {"Statement": {"Effect": "Allow", **letting_in}}
    assert (who, "auditor", "") in held(pool, "iam")


def test_a_statement_that_lets_nobody_in_names_nobody(pool: Pool) -> None:
    """Who may tag a session must come in by another one."""
    tags = {"Effect": "Allow", "Action": ["sts:TagSession", "sts:SetSourceIdentity"], "Principal": "eve"}
    pool.trusts["auditor"] = {"Statement": tags}
    assert "eve" not in {who for who, _, _ in held(pool, "iam")}


def test_roles_that_services_of_aws_take_up_are_reviewed_where_they_are(pool: Pool) -> None:
    """The one that copies reads every model; the local stack has none of them."""
    deployed = replace(STORE, infra=Path("infra"), copy=Copy("copy", "eu-west-1"))
    expected = {
        "replication": "s3.amazonaws.com",
        "trail-log-group": "cloudtrail.amazonaws.com",
        "token-groups": "lambda.amazonaws.com",
    }
    for role, service in expected.items():
        pool.trusts[role] = {
            "Statement": {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": [service, "ec2.amazonaws.com"]},
            }
        }

    rows = review(deployed, pool.aws()).rows  # type: ignore[arg-type]

    found = {(row.role, row.who): row.remarks for row in rows if row.role in expected}
    assert found == {
        **dict.fromkeys(expected.items(), ()),
        **{(role, "ec2.amazonaws.com"): ("not a part of the store",) for role in expected},
    }
    assert {role for _, role, _ in held(pool, "iam")}.isdisjoint(expected)


def test_a_review_in_a_file_is_for_its_owner_alone(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also in one that was there, and that others could read."""
    pool.add("ada", "data-scientist@fraud")
    monkeypatch.setattr(store, "opened", lambda _: (STORE, pool.aws()))
    file = tmp_path / "review.csv"
    file.write_text("the last one, which was much longer than this line", encoding="utf-8")
    file.chmod(0o644)
    asked = Namespace(factors=False, team=None, format="csv", output=file)

    assert run(asked) == 0

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text(encoding="utf-8") == as_csv(taken(pool))
    with pytest.raises(DeploymentError, match=r"cannot be written \(No such file .*--output"):
        run(Namespace(**{**vars(asked), "output": tmp_path / "none" / "review.csv"}))
