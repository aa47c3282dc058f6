"""What holds of every policy, caller and request: the laws that nobody should have to look up."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.gateway.principals import ServicePrincipal
from smas_emulator.iam.evaluation import Decision, Request, decide

from tests.emulator.iam.cases import ROOT, SESSION, USER, policy, session

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal
    from smas_emulator.iam.documents import Policy

JSON = dict[str, Any]
# So few names that what is asked is often what is named.
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
RESOURCES = ["arn:aws:s3:::b", "arn:aws:s3:::b/a", "arn:aws:s3:::b/a/a", "arn:aws:s3:::b/red/a"]
PRINCIPALS: list[Principal] = [
    USER,
    SESSION,
    session(name="other", tags={"team": "red"}),
    ROOT,
    ServicePrincipal("s3.amazonaws.com"),
]


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    """One or several of these."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


actions = st.one_of(
    st.fixed_dictionaries({"Action": some([*ACTIONS, "s3:*", "s3:*Object", "*"])}),
    st.fixed_dictionaries({"NotAction": some([*ACTIONS, "s3:Get*"])}),
)
patterns = some(
    [
        *RESOURCES,
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/?",
        "arn:*:s3:::b/a",
        "arn:aws:s3:::b/${aws:PrincipalTag/team}/*",
    ]
)
resources = st.one_of(
    st.fixed_dictionaries({"Resource": patterns}), st.fixed_dictionaries({"NotResource": patterns})
)
keys = st.sampled_from(["k", "aws:PrincipalTag/team", "aws:username"])
conditions = st.one_of(
    st.dictionaries(
        st.sampled_from(
            [
                "StringEquals",
                "StringNotEquals",
                "StringLikeIfExists",
                "ForAllValues:StringLike",
                "ForAnyValue:StringEquals",
            ]
        ),
        st.dictionaries(keys, some(["red", "r*", "Bob", "${aws:PrincipalTag/team}"]), min_size=1, max_size=2),
        max_size=2,
    ),
    # What `k` says is no number.
    st.just({"NumericNotEquals": {"k": "1"}}),
)
effects = st.sampled_from(["Allow", "Deny"])
names = some(["*", USER.account, USER.arn, SESSION.arn, SESSION.role_arn])


@st.composite
def statements(draw: st.DrawFn, *, named: bool = False, effect: str | None = None) -> JSON:
    """A statement of a caller's policy, or with principals of a resource's."""
    made: JSON = {
        "Effect": effect or draw(effects),
        **draw(actions),
        **draw(resources),
        "Condition": draw(conditions),
    }
    if named:
        denies = made["Effect"] == "Deny" and draw(st.booleans())
        made["NotPrincipal" if denies else "Principal"] = {"AWS": draw(names)}
    return made


several = st.lists(statements(), min_size=1, max_size=4)
several_named = st.lists(statements(named=True), min_size=1, max_size=4)
contexts = st.dictionaries(
    st.just("k"), st.one_of(st.just("red"), st.lists(st.sampled_from(["red", "blue"]), max_size=2).map(tuple))
)
requests = st.builds(Request, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), contexts)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Request, Principal, JSON]:
    """A request, its caller, and the statements of every kind of policy there may be."""
    found: JSON = {
        "identity": draw(st.lists(several, max_size=2)),
        "session": draw(st.none() | several),
        "resource": draw(st.none() | several_named),
        "delegation_required": draw(st.booleans()),
    }
    return draw(requests), draw(st.sampled_from(PRINCIPALS)), found


def decided(request: Request, principal: Principal, found: JSON) -> Decision:
    """The decision."""

    def made(kind: str) -> Policy | None:
        return None if found[kind] is None else policy(*found[kind])

    return decide(
        request,
        principal,
        identity=[policy(*each) for each in found["identity"]],
        session=made("session"),
        resource=made("resource"),
        delegation_required=found["delegation_required"],
    )


def same(one: Decision, other: Decision) -> bool:
    """Whether two decisions are the same; of several denials any may be told."""
    return (one.allowed, one.explicit, one.policy) == (other.allowed, other.explicit, other.policy)


@given(questions(), statements(effect="Deny"), statements(effect="Deny", named=True), st.data())
def test_another_deny_never_allows_more(
    question: tuple[Request, Principal, JSON], deny: JSON, named: JSON, data: st.DataObject
) -> None:
    """Wherever it is put."""
    request, principal, found = question
    kind = data.draw(st.sampled_from(["identity", "session", "resource"]))
    if kind == "identity":
        more = {**found, "identity": [*found["identity"], [deny]]}
    elif found[kind] is None:
        return
    else:
        more = {**found, kind: [named if kind == "resource" else deny, *found[kind]]}
    assert decided(request, principal, found).allowed or not decided(request, principal, more).allowed


@given(questions(), several)
def test_a_session_policy_never_widens(
    question: tuple[Request, Principal, JSON], narrower: list[JSON]
) -> None:
    """With it a session may do nothing that it may not do without."""
    request, principal, found = question
    without = decided(request, principal, {**found, "session": None})
    assert without.allowed or not decided(request, principal, {**found, "session": narrower}).allowed


@given(questions(), st.randoms(use_true_random=False))
def test_order_is_no_matter(question: tuple[Request, Principal, JSON], chance: Any) -> None:
    """Neither of statements nor of policies."""
    request, principal, found = question

    def shuffled(items: list[Any] | None) -> list[Any] | None:
        return None if items is None else chance.sample(items, len(items))

    mixed = {
        "identity": shuffled([shuffled(each) for each in found["identity"]]),
        "session": shuffled(found["session"]),
        "resource": shuffled(found["resource"]),
        "delegation_required": found["delegation_required"],
    }
    assert same(decided(request, principal, found), decided(request, principal, mixed))


def split(statement: JSON) -> list[JSON]:
    """The statement for each of its actions and resources; what is excluded cannot be split."""
    lists = {name: statement[name] for name in ("Action", "Resource") if name in statement}
    return [
        {**statement, **{name: [value] for name, value in zip(lists, each, strict=True)}}
        for each in product(*lists.values())
    ]


@given(questions())
def test_a_statement_is_the_sum_of_its_parts(question: tuple[Request, Principal, JSON]) -> None:
    """One for each action and resource, in policies of their own, decides the same."""
    request, principal, found = question
    apart = {
        "identity": [[part] for each in found["identity"] for statement in each for part in split(statement)],
        **{
            kind: found[kind] and [part for statement in found[kind] for part in split(statement)]
            for kind in ("session", "resource")
        },
        "delegation_required": found["delegation_required"],
    }
    assert same(decided(request, principal, found), decided(request, principal, apart))


@given(questions())
def test_nobody_is_allowed_what_no_statement_allows(question: tuple[Request, Principal, JSON]) -> None:
    """But root, where no leave is required."""
    request, principal, found = question

    def denying(written: list[JSON] | None) -> list[JSON] | None:
        return written and [{**each, "Effect": "Deny"} for each in written]

    denials = {
        "identity": [denying(each) for each in found["identity"]],
        "session": None,
        "resource": denying(found["resource"]),
        "delegation_required": found["delegation_required"],
    }
    allowed = decided(request, principal, denials).allowed
    assert not allowed or (principal is ROOT and not found["delegation_required"])


@given(questions())
def test_policies_that_differ_in_the_case_of_actions_alone_decide_the_same(
    question: tuple[Request, Principal, JSON],
) -> None:
    """Actions and keys are not case-sensitive, in the policy or in the request."""
    request, principal, found = question
    loud = Request(
        request.action.upper(), request.resource, {key.upper(): v for key, v in request.context.items()}
    )
    assert decided(request, principal, found) == decided(loud, principal, found)
