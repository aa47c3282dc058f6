"""What AWS documents of condition operators, of several keys and values, and of keys that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulator.iam.cases import CREATED, SESSION, USER, Case, Values, allow, deny, session, user

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
OPERATORS = f"{_GUIDE}/reference_policies_elements_condition_operators.html"
CONDITION = f"{_GUIDE}/reference_policies_elements_condition.html"
SEVERAL = f"{_GUIDE}/reference_policies_condition-logic-multiple-context-keys-or-values.html"
VALUED = f"{_GUIDE}/reference_policies_condition-single-vs-multi-valued-context-keys.html"
EXAMPLES = f"{_GUIDE}/reference_policies_condition_examples-multi-valued-context-keys.html"
VARIABLES = f"{_GUIDE}/reference_policies_variables.html"

FINANCE = "arn:aws:someservice:*:111122223333:finance/*"
STORE = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
DYNAMODB = "dynamodb:Attributes"
BINARY = "QmluYXJ5VmFsdWVJbkJhc2U2NA=="
ANA, MARY = "arn:aws:iam::222222222222:user/Ana", "arn:aws:iam::222222222222:user/Mary"
DEPARTMENTS = {
    "aws:PrincipalTag/department": ["finance", "hr", "legal"],
    "aws:PrincipalTag/role": ["audit", "security"],
}


def when(
    url: str,
    says: str,
    condition: dict[str, Any],
    context: Values | None = None,
    *,
    holds: bool,
    principal: Principal = USER,
) -> Case:
    """A condition, and whether it holds: then, and only then, an Allow allows."""
    identity = (allow(Condition=condition),)
    return Case(url, says, allowed=holds, identity=identity, context=context or {}, principal=principal)


CASES = (
    # Strings
    when(
        CONDITION,
        "StringEquals looks at case",
        {"StringEquals": {"aws:username": "johndoe"}},
        holds=False,
        principal=user("JohnDoe"),
    ),
    when(
        CONDITION,
        "StringEqualsIgnoreCase does not",
        {"StringEqualsIgnoreCase": {"aws:username": "johndoe"}},
        holds=True,
        principal=user("JohnDoe"),
    ),
    when(
        CONDITION,
        "Names of keys are not case-sensitive",
        {"StringEquals": {"AWS:USERNAME": "Bob"}},
        holds=True,
    ),
    when(
        CONDITION,
        "Nor are the tag keys in them",
        {"StringEquals": {"aws:ResourceTag/TagKey1": "Value1"}},
        {"aws:ResourceTag/tagkey1": "Value1"},
        holds=True,
    ),
    when(
        OPERATORS,
        "A tag that must be: it is",
        {"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}},
        holds=True,
        principal=user(**{"job-category": "iamuser-admin"}),
    ),
    when(
        OPERATORS,
        "A tag that must be: there is none",
        {"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}},
        holds=False,
    ),
    when(
        OPERATORS,
        "StringEquals knows no wildcards",
        {"StringEquals": {"s3:prefix": "home/*"}},
        {"s3:prefix": "home/a"},
        holds=False,
    ),
    when(
        OPERATORS,
        "StringLike does, and any value will do",
        {"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}},
        {"s3:prefix": "home/Bob/a"},
        holds=True,
    ),
    when(
        OPERATORS,
        "StringLike is case-sensitive",
        {"StringLike": {"s3:prefix": ["home/${aws:username}/*"]}},
        {"s3:prefix": "HOME/Bob/a"},
        holds=False,
    ),
    when(
        OPERATORS,
        "An empty value is a value",
        {"StringLike": {"s3:prefix": ["", "home/"]}},
        {"s3:prefix": ""},
        holds=True,
    ),
    when(
        OPERATORS,
        "Without a wildcard StringLike is the whole text",
        {"StringLike": {"s3:prefix": "home"}},
        {"s3:prefix": "home/"},
        holds=False,
    ),
    when(
        OPERATORS,
        "StringNotEqualsIgnoreCase",
        {"StringNotEqualsIgnoreCase": {"aws:username": "BOB"}},
        holds=False,
    ),
    # Numbers
    *(
        when(
            OPERATORS,
            f"Up to ten keys: {keys}",
            {"NumericLessThanEquals": {"s3:max-keys": "10"}},
            {"s3:max-keys": keys},
            holds=holds,
        )
        for keys, holds in (("9", True), ("10", True), ("10.0", True), ("11", False), ("many", False))
    ),
    *(
        when(
            OPERATORS, f"10 against 9: {name}", {name: {"s3:max-keys": 9}}, {"s3:max-keys": "10"}, holds=holds
        )
        for name, holds in (
            ("NumericEquals", False),
            ("NumericNotEquals", True),
            ("NumericLessThan", False),
            ("NumericGreaterThan", True),
            ("NumericGreaterThanEquals", True),
        )
    ),
    # Dates
    when(
        OPERATORS,
        "A session of this year",
        {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
        holds=True,
        principal=SESSION,
    ),
    when(
        OPERATORS,
        "A session that is too old",
        {"DateGreaterThan": {"aws:TokenIssueTime": "2027-01-01T00:00:01Z"}},
        holds=False,
        principal=SESSION,
    ),
    when(
        OPERATORS,
        "A user has no time of issue",
        {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
        holds=False,
    ),
    when(
        OPERATORS,
        "Seconds since 1970 are dates too",
        {"DateEquals": {"aws:TokenIssueTime": str(int(CREATED.timestamp()))}},
        holds=True,
        principal=SESSION,
    ),
    *(
        when(
            OPERATORS,
            f"Short dates of W3C: {name} {date}",
            {name: {"aws:CurrentTime": date}},
            {"aws:CurrentTime": "2026-11-24T00:00:00Z"},
            holds=holds,
        )
        for name, date, holds in (
            ("DateGreaterThan", "2026", True),
            ("DateLessThan", "2026-12", True),
            ("DateEquals", "2026-11-24", True),
            ("DateNotEquals", "2026-11-24T01:00+01:00", False),
            ("DateLessThanEquals", "2026-11-23T23:59:59.5Z", False),
            ("DateGreaterThanEquals", "2026-11-24", True),
        )
    ),
    # Booleans, bytes and addresses
    when(
        OPERATORS,
        "Bool",
        {"Bool": {"aws:SecureTransport": "true"}},
        {"aws:SecureTransport": "true"},
        holds=True,
    ),
    when(
        OPERATORS,
        "Bool, the other way, as JSON has it",
        {"Bool": {"aws:SecureTransport": False}},
        {"aws:SecureTransport": "true"},
        holds=False,
    ),
    when(OPERATORS, "Bool without the key", {"Bool": {"aws:SecureTransport": "false"}}, holds=False),
    when(OPERATORS, "BinaryEquals", {"BinaryEquals": {"key": BINARY}}, {"key": BINARY}, holds=True),
    when(
        OPERATORS,
        "BinaryEquals compares byte for byte",
        {"BinaryEquals": {"key": BINARY}},
        {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NQ=="},
        holds=False,
    ),
    *(
        when(
            OPERATORS,
            f"{name} {network}: {address}",
            {name: {"aws:SourceIp": network}},
            {"aws:SourceIp": address},
            holds=holds,
        )
        for name, network, address, holds in (
            ("IpAddress", "203.0.113.0/24", "203.0.113.255", True),
            ("IpAddress", "203.0.113.0/24", "203.0.114.1", False),
            ("IpAddress", "203.0.113.7", "203.0.113.7", True),
            ("IpAddress", "203.0.113.7", "203.0.113.8", False),
            ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
            ("IpAddress", "2001:DB8:1234:5678::/64", "203.0.113.7", False),
            ("NotIpAddress", "203.0.113.0/24", "203.0.113.255", False),
            ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
        )
    ),
    # ARNs
    when(
        OPERATORS,
        "StringLike reaches over colons",
        {"StringLike": {"aws:SourceArn": FINANCE}},
        {"aws:SourceArn": STORE},
        holds=True,
    ),
    when(
        OPERATORS,
        "ArnLike does not",
        {"ArnLike": {"aws:SourceArn": FINANCE}},
        {"aws:SourceArn": STORE},
        holds=False,
    ),
    when(
        OPERATORS,
        "ArnEquals takes wildcards as ArnLike does",
        {"ArnEquals": {"aws:SourceArn": FINANCE}},
        {"aws:SourceArn": "arn:aws:someservice:us-east-2:111122223333:finance/document.txt"},
        holds=True,
    ),
    when(
        OPERATORS,
        "ArnNotEquals and ArnNotLike are the same",
        {"ArnNotEquals": {"aws:SourceArn": FINANCE}},
        {"aws:SourceArn": "arn:aws:someservice:us-east-2:111122223333:finance/document.txt"},
        holds=False,
    ),
    when(
        OPERATORS,
        "ARNs are case-sensitive",
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/bob"}},
        holds=False,
    ),
    when(
        VARIABLES,
        "Variables stand in ARNs",
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/${aws:username}"}},
        holds=True,
    ),
    # Keys that are not there
    when(OPERATORS, "Without the key nothing equals", {"StringLike": {"s3:prefix": "*"}}, holds=False),
    when(OPERATORS, "Without the key everything differs", {"StringNotLike": {"s3:prefix": "*"}}, holds=True),
    when(OPERATORS, "ArnNotLike too", {"ArnNotLike": {"aws:SourceArn": FINANCE}}, holds=True),
    when(
        OPERATORS,
        "IfExists holds without the key",
        {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}},
        holds=True,
    ),
    when(
        OPERATORS,
        "IfExists compares where there is one: it fits",
        {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}},
        {"ec2:InstanceType": "t2.micro"},
        holds=True,
    ),
    when(
        OPERATORS,
        "IfExists compares where there is one: it does not",
        {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}},
        {"ec2:InstanceType": "m5.large"},
        holds=False,
    ),
    Case(
        OPERATORS,
        "A Deny with StringNotEqualsIfExists denies without the key",
        allowed=False,
        identity=(allow(), deny(Condition={"StringNotEqualsIfExists": {"aws:PrincipalTag/team": "a"}})),
    ),
    when(OPERATORS, "Null true: a user", {"Null": {"aws:TokenIssueTime": "true"}}, holds=True),
    when(
        OPERATORS,
        "Null true: a session",
        {"Null": {"aws:TokenIssueTime": "true"}},
        holds=False,
        principal=SESSION,
    ),
    when(
        OPERATORS,
        "Null false: a session",
        {"Null": {"aws:TokenIssueTime": False}},
        holds=True,
        principal=SESSION,
    ),
    when(
        VARIABLES,
        "A variable without a value equals nothing",
        {"StringEquals": {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}},
        {"s3:ExistingObjectTag/Team": ""},
        holds=False,
    ),
    when(
        VARIABLES,
        "And differs from everything",
        {"StringNotEquals": {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}},
        {"s3:ExistingObjectTag/Team": "a"},
        holds=True,
    ),
    when(
        VARIABLES,
        "A variable's value is compared",
        {"StringEquals": {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}},
        {"s3:ExistingObjectTag/Team": "a"},
        holds=True,
        principal=session(tags={"Team": "a"}),
    ),
    when(
        VARIABLES,
        "Other operators than those of texts and ARNs know no variables",
        {"StringNotEquals": {"key": "1"}, "Bool": {"aws:SecureTransport": "true"}},
        {"aws:SecureTransport": "true", "key": "2"},
        holds=True,
    ),
    # Several keys and values
    *(
        when(
            SEVERAL,
            f"{operator} and two tags: {name}, {tags}",
            {"StringEquals": DEPARTMENTS, operator: {"aws:PrincipalArn": [ANA, MARY]}},
            holds=holds,
            principal=user(name, "222222222222", **tags),
        )
        for operator, one, other in (("ArnLike", "Mary", "Nikki"), ("ArnNotLike", "Nikki", "Mary"))
        for name, tags, holds in (
            (one, {"department": "legal", "role": "audit"}, True),
            (other, {"department": "hr", "role": "audit"}, False),
            (one, {"department": "hr", "role": "payroll"}, False),
            (one, {"department": "hr"}, False),
            (one, {}, False),
        )
    ),
    *(
        when(
            SEVERAL,
            f"A negated operator holds for none of its values: {account}",
            {"StringNotEquals": {"aws:SourceAccount": ["111111111111", "222222222222"]}},
            {"aws:SourceAccount": account},
            holds=holds,
        )
        for account, holds in (("111111111111", False), ("222222222222", False), ("333333333333", True))
    ),
    # Sets of values
    when(
        VALUED,
        "ForAllValues: each is listed",
        {"ForAllValues:StringEquals": {DYNAMODB: ["ID", "Message", "Tags"]}},
        {DYNAMODB: ("Message", "Tags")},
        holds=True,
    ),
    when(
        VALUED,
        "ForAllValues: one is not",
        {"ForAllValues:StringEquals": {DYNAMODB: ["ID", "Message", "Tags"]}},
        {DYNAMODB: ("Message", "UserName")},
        holds=False,
    ),
    when(
        VALUED,
        "ForAllValues holds without the key",
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}},
        holds=True,
    ),
    when(
        VALUED,
        "Unless Null asks for it",
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}},
        holds=False,
    ),
    when(
        VALUED,
        "ForAnyValue: one is listed",
        {"ForAnyValue:StringEquals": {DYNAMODB: ["ID", "PostDateTime"]}},
        {DYNAMODB: ("PostDateTime", "Message")},
        holds=True,
    ),
    when(
        VALUED,
        "ForAnyValue: none is",
        {"ForAnyValue:StringEquals": {DYNAMODB: ["ID", "PostDateTime"]}},
        {DYNAMODB: ("UserName",)},
        holds=False,
    ),
    when(
        VALUED,
        "ForAnyValue does not hold without the key",
        {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}},
        holds=False,
    ),
    *(
        when(
            EXAMPLES,
            f"ForAllValues:StringNotLike {' '.join(patterns)}: {tags}",
            {"ForAllValues:StringNotLike": {"aws:TagKeys": patterns}},
            {"aws:TagKeys": tuple(tags.split())} if tags else {},
            holds=holds,
        )
        for patterns, tags, holds in (
            (["key1*"], "key1:legal", False),
            (["key1*"], "key1:hr key1:personnel", False),
            (["key1*"], "key2:audit", True),
            (["key1*"], "", True),
            (["key1*", "key2*"], "key1:legal", False),
            (["key1*", "key2*"], "key1:hr key1:personnel", False),
            (["key1*", "key2*"], "key1:hr key2:audit", False),
            (["key1*", "key2*"], "key3:legal", True),
            (["key1*", "key2*"], "", True),
        )
    ),
    *(
        when(
            EXAMPLES,
            f"ForAnyValue:StringEquals webserver: {tags}",
            {"ForAnyValue:StringEquals": {"aws:TagKeys": "webserver"}},
            {"aws:TagKeys": tuple(tags.split())} if tags else {},
            holds=holds,
        )
        for tags, holds in (
            ("webserver", True),
            ("environment webserver test", True),
            ("environment test", False),
            ("", False),
        )
    ),
    when(
        VALUED,
        "ForAllValues holds for empty values",
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}},
        {"aws:TagKeys": ("",)},
        holds=True,
    ),
    when(
        VALUED,
        "Unless Null asks for one",
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}},
        {"aws:TagKeys": ("",)},
        holds=False,
    ),
    when(
        VALUED,
        "ForAnyValue does not hold for empty values",
        {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}},
        {"aws:TagKeys": ("",)},
        holds=False,
    ),
    when(
        VALUED,
        "Keys with several values require a set operator",
        {"StringEquals": {"aws:TagKeys": "a"}},
        {"aws:TagKeys": ("a",)},
        holds=False,
    ),
    when(
        VALUED,
        "ForAnyValue with a negated operator: one value differs from all",
        {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}},
        {"aws:TagKeys": ("a", "c")},
        holds=True,
    ),
    when(
        VALUED,
        "ForAnyValue with a negated operator: none does",
        {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}},
        {"aws:TagKeys": ("b", "a")},
        holds=False,
    ),
)
