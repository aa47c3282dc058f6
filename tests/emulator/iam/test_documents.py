"""Which documents are policies, and what is said of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.iam.documents import MalformedPolicy, Policy
from smas_emulator.iam.evaluation import Decision, Request, decide
from smas_emulator.iam.operators import OPERATORS

from tests.emulator.iam.cases import BUCKET, JSON, OBJECT, SESSION, USER, allow, deny, policy

STATEMENT: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def document(**statement: Any) -> dict[str, Any]:
    """A policy of one statement, changed; None removes an element."""
    changed = {**STATEMENT, **statement}
    return {"Version": "2012-10-17", "Statement": {k: v for k, v in changed.items() if v is not None}}


@pytest.mark.parametrize(
    "good",
    [
        {"Version": "2012-10-17", "Id": "x", "Statement": STATEMENT},
        {"Version": "2012-10-17", "Statement": [STATEMENT, {**STATEMENT, "Sid": ""}]},
        {"Version": "2008-10-17", "Statement": [STATEMENT]},
        {"Statement": STATEMENT},
        document(Action=["s3:GetObject", "s3:*"], Resource=["*"]),
        document(Action=None, NotAction="s3:GetObject", Resource=None, NotResource=[OBJECT]),
        document(Resource=None, Principal={"AWS": "*"}),
        document(Principal={"AWS": ["1", "2"], "Service": "s", "Federated": "f", "CanonicalUser": "c"}),
        document(Effect="Deny", NotPrincipal={"AWS": "1"}),
        document(Condition={"NumericLessThan": {"k": 3}, "Bool": {"k": True}, "StringLike": {"k": []}}),
    ],
)
def test_a_policy_is_read_from_text_or_json(good: dict[str, Any]) -> None:
    """A statement by itself or in a list, and one value or several."""
    read = [Policy.parse(good), Policy.parse(json.dumps(good))]
    assert [len(each.statements) for each in read] == [len(read[0].statements)] * 2


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("{", "must be JSON"),
        ("[]", "must be a JSON object"),
        ("3", "must be a JSON object"),
        ('{"Statement": {"Effect": "Deny", "Effect": "Allow"}}', "names Effect twice"),
        ({"Version": "2012-10-18", "Statement": STATEMENT}, "Version must be 2012-10-17 or 2008-10-17"),
        ({"Version": ["2012-10-17"], "Statement": STATEMENT}, "Version must be"),
        ({"Version": "2012-10-17"}, "needs a Statement"),
        ({"Version": "2012-10-17", "Statement": []}, "needs a Statement"),
        ({"Version": "2012-10-17", "Statement": "all"}, "needs a Statement"),
        ({"Version": "2012-10-17", "Statement": [STATEMENT, "all"]}, "Statement 2 must be a JSON object"),
        ({"Version": "2012-10-17", "Statement": STATEMENT, "Rules": []}, "no element Rules"),
        (document(Sid=3), "Statement 1 needs a text for its Sid"),
        (document(Sid="S", Resources="*"), "Statement S has the unknown element Resources"),
        (document(Effect=None), "needs an Effect"),
        (document(Effect="allow"), "needs an Effect, which is Allow or Deny"),
        (document(Effect=["Allow"]), "needs an Effect"),
        (document(Action=None), "needs an Action or a NotAction"),
        (document(NotAction="s3:*"), "both Action and NotAction"),
        (document(NotResource="*"), "both Resource and NotResource"),
        (document(Action="GetObject"), "needs its service"),
        (document(Action=[]), "Action must be a text or a list of texts"),
        (document(Action=[3]), "Action must be a text or a list of texts"),
        (document(Resource=""), "Resource must be a text or a list of texts"),
        (document(Resource="arn:aws:s3:::${aws:username"), "begins no policy variable"),
        (document(Resource="bucket"), "'bucket' is not an ARN, which has six parts"),
        (document(Resource="arn:aws:s3", Principal="*"), "'arn:aws:s3' is not an ARN"),
        (
            {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Sid": "S"}, {**STATEMENT, "Sid": "S"}]},
            "Statement S is not the only one",
        ),
        ("[" * 100_000, "must be JSON"),
        ('{"Version": ' + "9" * 5_000 + "}", "must be JSON"),
        (document(Principal="*", NotPrincipal="*"), "both Principal and NotPrincipal"),
        (document(NotPrincipal="*"), "allows with NotPrincipal, which may only deny"),
        (document(Principal=[]), "a principal is"),
        (document(Principal={}), "a principal is"),
        (document(Principal="arn:aws:iam::111122223333:root"), "a principal is"),
        (document(Principal={"Aws": "*"}), "unknown kind Aws"),
        (document(Principal={"AWS": []}), "AWS must be a text"),
        (document(Principal={"AWS": "arn:aws:iam::111122223333:role/*"}), "has a wildcard"),
        (document(Principal={"Service": "*"}), "has a wildcard"),
        (document(Effect="Deny", NotPrincipal={"AWS": ["arn:aws:iam::1:user/?"]}), "has a wildcard"),
        (document(Condition=[]), "Condition is an object"),
        (document(Condition={"Bool": "true"}), "Bool needs an object"),
        (document(Condition={"Bool": {"k": None}}), "takes texts, numbers or booleans"),
        (document(Condition={"Bool": {"k": "yes"}}), "neither true nor false"),
        (document(Condition={"Null": {"k": "yes"}}), "Null takes true or false"),
        (document(Condition={"NumericEquals": {"k": "ten"}}), "'ten' is not a number"),
        (document(Condition={"NumericEquals": {"k": "NaN"}}), "'NaN' is not a number"),
        (document(Condition={"DateEquals": {"k": "tomorrow"}}), "'tomorrow' is not a date"),
        (document(Condition={"DateEquals": {"k": "2026-13"}}), "DateEquals cannot be read"),
        (document(Condition={"IpAddress": {"k": "10.0.0.0/33"}}), "IpAddress cannot be read"),
        (document(Condition={"BinaryEquals": {"k": "!"}}), "'!' is not base64"),
        (document(Condition={"ArnLike": {"k": "*"}}), "'\\*' is not an ARN"),
        (document(Condition={"StringLike": {"k": "${"}}), "begins no policy variable"),
    ],
)
def test_a_malformed_policy_is_refused_with_its_fault(bad: Any, complaint: str) -> None:
    """In a sentence that says where."""
    with pytest.raises(MalformedPolicy, match=complaint) as raised:
        Policy.parse(bad)
    assert str(raised.value).endswith(".")


ELEMENTS = ["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Other"]
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("*:${}'ab,/", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("aAWS", max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
odd_conditions = st.dictionaries(
    st.sampled_from([*OPERATORS, "Null", "Other", "ForAllValues:StringLike"]),
    junk | st.dictionaries(st.just("k"), junk, max_size=1),
    max_size=2,
)
odd_statements = st.one_of(
    junk,
    st.fixed_dictionaries(
        {},
        optional={"Sid": junk, "Condition": junk | odd_conditions, **dict.fromkeys(ELEMENTS, junk)},
    ),
    st.builds(lambda condition: {**STATEMENT, "Condition": condition}, odd_conditions),
    st.builds(
        lambda name, value: {**STATEMENT, name: value}, st.sampled_from([*ELEMENTS, "Sid", "Condition"]), junk
    ),
)


def fault_of(document: JSON) -> str | None:
    """What is said of it, None where it is a policy."""
    try:
        Policy.parse(document)
    except MalformedPolicy as fault:
        return str(fault)
    return None


@given(odd_statements)
def test_whatever_is_no_statement_is_named(odd: Any) -> None:
    """Nothing but `MalformedPolicy` is raised, and it says which of three statements is wrong."""
    written = {"Version": "2012-10-17", "Statement": [STATEMENT, odd, STATEMENT]}
    sid = odd.get("Sid") if isinstance(odd, dict) else None
    fault = fault_of(written)
    assert fault is None or fault.startswith(f"Statement {sid if isinstance(sid, str) and sid else 2}")
    assert fault is not None or len(Policy.parse(written).statements) == 3


@given(
    odd_conditions, st.sampled_from(["Allow", "Deny"]), st.text(max_size=6) | st.lists(st.text(max_size=3))
)
def test_no_request_is_too_odd_to_be_decided(condition: JSON, effect: str, value: str | list[str]) -> None:
    """Whatever it says of itself."""
    try:
        read = policy({**STATEMENT, "Effect": effect, "Condition": condition})
    except MalformedPolicy:
        return
    found = value if isinstance(value, str) else tuple(value)
    decision = decide(Request("s3:GetObject", OBJECT, {"k": found}), USER, identity=[read])
    assert not decision.allowed or effect == "Allow"


@pytest.mark.parametrize(
    "operator",
    [
        "StringMatches",
        "stringequals",
        "StringEqualsIfExist",
        "IfExistsStringEquals",
        "ForSomeValues:StringEquals",
        "ForAllValues:",
        "ForAllValues:Null",
        "ForAllValues:ForAnyValue:StringEquals",
        "NullIfExists",
        "BoolNot",
        "",
    ],
)
def test_an_unknown_operator_denies(operator: str, caplog: pytest.LogCaptureFixture) -> None:
    """In an Allow it allows nothing, in a Deny it denies whatever else holds; and the log names it, once."""
    condition: dict[str, Any] = {
        "Condition": {"Bool": {"aws:SecureTransport": "true"}, operator: {"k": "v", "l": "w"}}
    }
    secure = {"aws:SecureTransport": "true", "k": "v", "l": "w"}
    allowing, denying = policy(allow(**condition)), policy(allow("*"), deny(Sid="D", **condition))
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        f"Statement {each} is not understood: unknown condition operator {operator!r}." for each in ("1", "D")
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    for context in (secure, {}):
        request = Request("s3:GetObject", OBJECT, context)
        assert not decide(request, USER, identity=[allowing]).allowed
        assert decide(request, USER, identity=[denying]).explicit
    elsewhere = Request("s3:PutObject", OBJECT, secure)
    assert decide(elsewhere, USER, identity=[denying]).allowed
    assert len(caplog.records) == 2


def test_a_callers_policy_is_about_the_caller() -> None:
    """What names a principal or no resource is none: it allows nothing, but what it denies is denied."""
    request = Request("s3:GetObject", OBJECT)
    for misplaced in ({"Principal": "*"}, {"resource": None}):
        assert not decide(request, USER, identity=[policy(allow(**misplaced))]).allowed
        assert not decide(
            request, SESSION, identity=[policy(allow())], session=policy(allow(**misplaced))
        ).allowed
        assert decide(request, USER, identity=[policy(allow(), deny(**misplaced))]).explicit


def test_a_resources_policy_says_whom() -> None:
    """Without that it gives nothing to anybody, and denies everybody."""
    request = Request("s3:GetObject", OBJECT)
    assert not decide(request, USER, resource=policy(allow())).allowed
    assert decide(request, USER, identity=[policy(allow())], resource=policy(deny())).explicit


def test_a_resources_policy_need_not_say_on_what() -> None:
    """It is about what it is attached to."""
    attached = policy(allow(resource=None, Principal="*"))
    assert decide(Request("s3:GetObject", OBJECT), USER, resource=attached).allowed


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, Decision(allowed=False, policy="identity-based")),
        ({"session": policy(allow("*"))}, Decision(allowed=False, policy="identity-based")),
        (
            {"identity": [policy(allow())], "session": policy(allow("s3:ListBucket"))},
            Decision(allowed=False, policy="session"),
        ),
        (
            {"identity": [policy(allow())], "delegation_required": True},
            Decision(allowed=False, policy="resource-based"),
        ),
        (
            {"identity": [policy(allow(), deny(Sid="Never"))]},
            Decision(allowed=False, explicit=True, policy="identity-based", sid="Never"),
        ),
        (
            {"session": policy(deny())},
            Decision(allowed=False, explicit=True, policy="session"),
        ),
        (
            {"identity": [policy(allow())], "resource": policy(deny(Sid="Tls", Principal="*"))},
            Decision(allowed=False, explicit=True, policy="resource-based", sid="Tls"),
        ),
        ({"identity": [policy(allow(resource=f"{BUCKET}/*"))]}, Decision(allowed=True)),
    ],
)
def test_a_refusal_says_what_refused(policies: dict[str, Any], expected: Decision) -> None:
    """The kind of policy, and which statement if it was one."""
    assert decide(Request("s3:GetObject", OBJECT), SESSION, **policies) == expected
