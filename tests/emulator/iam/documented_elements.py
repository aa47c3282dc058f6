"""What AWS documents of actions, resources, their opposites, and policy variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulator.iam.cases import BUCKET, SESSION, USER, Case, allow, deny, session, user

if TYPE_CHECKING:
    from smas_emulator.gateway.principals import Principal

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
ACTION = f"{_GUIDE}/reference_policies_elements_action.html"
NOT_ACTION = f"{_GUIDE}/reference_policies_elements_notaction.html"
RESOURCE = f"{_GUIDE}/reference_policies_elements_resource.html"
NOT_RESOURCE = f"{_GUIDE}/reference_policies_elements_notresource.html"
VARIABLES = f"{_GUIDE}/reference_policies_variables.html"
IDENTIFIERS = f"{_GUIDE}/reference_identifiers.html#identifiers-arns"
VERSION = f"{_GUIDE}/reference_policies_elements_version.html"
VALUED = f"{_GUIDE}/reference_policies_condition-single-vs-multi-valued-context-keys.html"

OTHER_OBJECT = f"{BUCKET}/a/b"
IN_ANY_TEST = f"{BUCKET}/*/test/*"
HR = "arn:aws:s3:::HRBucket"
PAYROLL = deny("s3:*", None, NotResource=[f"{HR}/Payroll", f"{HR}/Payroll/*"])
WITHOUT_MFA = deny(
    None,
    NotAction="iam:*",
    Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
)


def acting(url: str, says: str, written: str, action: str, *, allowed: bool) -> Case:
    """An action, held against one in a policy."""
    return Case(url, says, allowed=allowed, identity=(allow(written),), action=action)


def reaching(
    url: str,
    says: str,
    written: str,
    on: str,
    *,
    allowed: bool,
    principal: Principal = USER,
    **more: Any,
) -> Case:
    """A resource, held against one in a policy."""
    identity = (allow(resource=written),)
    return Case(url, says, allowed=allowed, identity=identity, on=on, principal=principal, **more)


CASES = (
    # Action and NotAction
    acting(ACTION, "Case is no matter", "IAM:listaccesskeys", "iam:ListAccessKeys", allowed=True),
    acting(ACTION, "* is part of a name", "iam:*AccessKey*", "iam:UpdateAccessKey", allowed=True),
    acting(ACTION, "* is part of a name: not of this", "iam:*AccessKey*", "iam:CreateUser", allowed=False),
    acting(ACTION, "s3:* is every action of S3", "s3:*", "s3:GetObject", allowed=True),
    acting(ACTION, "s3:* is no action of another service", "s3:*", "sqs:SendMessage", allowed=False),
    Case(
        NOT_ACTION,
        "Allowed is everything but what is listed",
        allowed=True,
        identity=(allow(None, "arn:aws:s3:::*", NotAction="s3:DeleteBucket"),),
    ),
    Case(
        NOT_ACTION,
        "Not allowed is what is listed",
        allowed=False,
        identity=(allow(None, "arn:aws:s3:::*", NotAction="s3:DeleteBucket"),),
        action="s3:DeleteBucket",
        on=BUCKET,
    ),
    Case(
        NOT_ACTION,
        "Which other resources limit further",
        allowed=False,
        identity=(allow(None, "arn:aws:s3:::*", NotAction="s3:DeleteBucket"),),
        action="s3:ListAllMyBuckets",
        on="*",
    ),
    Case(
        NOT_ACTION,
        "Denied is everything but what is listed, without MFA",
        allowed=False,
        identity=(allow("*"), WITHOUT_MFA),
        principal=SESSION,
    ),
    Case(
        NOT_ACTION,
        "What is listed is not denied",
        allowed=True,
        identity=(allow("*"), WITHOUT_MFA),
        principal=SESSION,
        action="iam:ListUsers",
    ),
    Case(
        NOT_ACTION,
        "With MFA the Deny has no effect",
        allowed=True,
        identity=(allow("*"), WITHOUT_MFA),
        principal=SESSION,
        context={"aws:MultiFactorAuthPresent": "true"},
    ),
    # Resource and NotResource
    *(
        reaching(RESOURCE, f"* stands for slashes too: {key}", IN_ANY_TEST, f"{BUCKET}/{key}", allowed=True)
        for key in (
            "1/test/object.jpg",
            "1/2/test/object.jpg",
            "1/2/test/3/object.jpg",
            "1/2/3/test/4/object.jpg",
            "1///test///object.jpg",
            "1/test/.jpg",
            "/test/object.jpg",
            "1/test/",
        )
    ),
    *(
        reaching(RESOURCE, f"But for no other text: {key}", IN_ANY_TEST, f"{BUCKET}/{key}", allowed=False)
        for key in ("1-test/object.jpg", "test/object.jpg", "1/2/test.jpg")
    ),
    reaching(
        RESOURCE,
        "* stands within one part of an ARN",
        "arn:aws:sqs:*:111122223333:q",
        "arn:aws:sqs:eu-central-1:111122223333:q",
        allowed=True,
    ),
    reaching(
        RESOURCE,
        "* reaches over no colon",
        "arn:aws:sqs:*:111122223333:q",
        "arn:aws:sqs:eu-central-1:444455556666:a:111122223333:q",
        allowed=False,
    ),
    reaching(
        RESOURCE,
        "Not even over the last one before the resource",
        "arn:aws:sqs:eu-central-1:*:q",
        "arn:aws:sqs:eu-central-1:111122223333:a:q",
        allowed=False,
    ),
    reaching(
        RESOURCE,
        "But over those of the last part",
        "arn:aws:logs:*:*:log-group:*",
        "arn:aws:logs:eu-central-1:111122223333:log-group:g:log-stream:s",
        allowed=True,
    ),
    *(
        Case(
            IDENTIFIERS,
            f"Parts that a caller's policy leaves out are *: {short}, {on}",
            allowed=allowed,
            identity=(allow("*", "*"), deny("*", short)) if denied else (allow("*", short),),
            on=on,
        )
        for short, on, denied, allowed in (
            ("arn:aws:sqs", "arn:aws:sqs:eu-central-1:111122223333:q", False, True),
            ("arn:aws:sqs", OTHER_OBJECT, False, False),
            ("arn:aws:s3:*", OTHER_OBJECT, False, True),
            ("arn:aws:s3", OTHER_OBJECT, True, False),
            ("arn:aws:sqs::111122223333", "arn:aws:sqs::111122223333:q", False, True),
            ("arn:aws:sqs::111122223333", "arn:aws:sqs::444455556666:q", False, False),
            ("arn:aws:sqs::${aws:PrincipalAccount}", "arn:aws:sqs::111122223333:q", False, True),
            ("arn:aws:sqs::${aws:PrincipalAccount}", "arn:aws:sqs::111122223333:q:r", True, False),
        )
    ),
    reaching(RESOURCE, "? is one character", f"{BUCKET}/a?c", f"{BUCKET}/abc", allowed=True),
    reaching(RESOURCE, "? is not none", f"{BUCKET}/a?c", f"{BUCKET}/ac", allowed=False),
    Case(
        NOT_RESOURCE,
        "Other resources are denied",
        allowed=False,
        identity=(allow("s3:*"), PAYROLL),
        on=f"{HR}/Other/a",
    ),
    Case(
        NOT_RESOURCE,
        "Those listed are not",
        allowed=True,
        identity=(allow("s3:*"), PAYROLL),
        on=f"{HR}/Payroll/a",
    ),
    Case(NOT_RESOURCE, "And not allowed either", allowed=False, identity=(PAYROLL,), on=f"{HR}/Payroll/a"),
    Case(
        NOT_RESOURCE,
        "Other services' resources are not touched by a Deny of S3's actions",
        allowed=True,
        identity=(allow("*"), PAYROLL),
        action="ec2:StartInstances",
        on="arn:aws:ec2:us-east-1:111122223333:instance/i-1",
    ),
    Case(
        NOT_RESOURCE,
        "An Allow but of one resource allows all others",
        allowed=True,
        identity=(allow("*", None, NotResource=HR),),
    ),
    # Variables
    reaching(
        VARIABLES, "A user's own folder", f"{BUCKET}/${{aws:username}}/*", f"{BUCKET}/Bob/a", allowed=True
    ),
    reaching(
        VARIABLES, "And nobody else's", f"{BUCKET}/${{aws:username}}/*", f"{BUCKET}/Alice/a", allowed=False
    ),
    reaching(
        VARIABLES,
        "Nor does the case of a variable matter",
        f"{BUCKET}/${{AWS:UserName}}/*",
        f"{BUCKET}/Bob/a",
        allowed=True,
    ),
    reaching(
        VARIABLES,
        "A name that the caller has not matches no resource",
        f"{BUCKET}/${{aws:username}}/*",
        f"{BUCKET}//a",
        allowed=False,
        principal=SESSION,
    ),
    reaching(
        VARIABLES,
        "A session's id is its role's and its name",
        f"{BUCKET}/${{aws:userid}}",
        f"{BUCKET}/AROADBQP57FF2AEXAMPLE:examplesession",
        allowed=True,
        principal=SESSION,
    ),
    reaching(
        VARIABLES,
        "A tag's value",
        "arn:aws:s3:::bucket/${aws:PrincipalTag/department}",
        "arn:aws:s3:::bucket/hr",
        allowed=True,
        principal=user(department="hr"),
    ),
    reaching(
        VARIABLES,
        "The default for who has no such tag",
        "arn:aws:s3:::amzn-s3-demo-bucket-${aws:PrincipalTag/team, 'company-wide'}",
        "arn:aws:s3:::amzn-s3-demo-bucket-company-wide",
        allowed=True,
    ),
    reaching(
        VARIABLES,
        "The tag, and no default, for who has it",
        "arn:aws:s3:::amzn-s3-demo-bucket-${aws:PrincipalTag/team, 'company-wide'}",
        "arn:aws:s3:::amzn-s3-demo-bucket-company-wide",
        allowed=False,
        principal=session(tags={"team": "yellow"}),
    ),
    reaching(
        VARIABLES,
        "${*} is a star",
        f"{BUCKET}/${{*}}",
        f"{BUCKET}/*",
        allowed=True,
    ),
    reaching(VARIABLES, "${*} is no wildcard", f"{BUCKET}/${{*}}", f"{BUCKET}/a", allowed=False),
    reaching(VARIABLES, "${?} is a question mark", f"{BUCKET}/${{?}}", f"{BUCKET}/?", allowed=True),
    reaching(VARIABLES, "${?} is no wildcard", f"{BUCKET}/${{?}}", f"{BUCKET}/a", allowed=False),
    reaching(VARIABLES, "${$} is a dollar", f"{BUCKET}/${{$}}{{a}}", f"{BUCKET}/${{a}}", allowed=True),
    reaching(
        VERSION,
        "Before 2012-10-17 a variable is the text that it is",
        f"{BUCKET}/${{aws:username}}",
        f"{BUCKET}/Bob",
        allowed=False,
        version="2008-10-17",
    ),
    reaching(
        VERSION,
        "And without a version too",
        f"{BUCKET}/${{aws:username}}",
        f"{BUCKET}/${{aws:username}}",
        allowed=True,
        version=None,
    ),
    reaching(
        VALUED,
        "A key with several values is no variable",
        f"{BUCKET}/${{aws:TagKeys}}",
        f"{BUCKET}/a",
        allowed=False,
        context={"aws:TagKeys": ("a", "b")},
    ),
    reaching(
        VALUED,
        "Not even where it has one",
        f"{BUCKET}/${{aws:TagKeys}}",
        f"{BUCKET}/a",
        allowed=False,
        context={"aws:TagKeys": ("a",)},
    ),
    reaching(
        VERSION,
        "Nor are there variables before 2012-10-17 between the colons of an ARN",
        "arn:aws:sqs:*:${aws:PrincipalAccount}:q",
        "arn:aws:sqs:eu-central-1:111122223333:q",
        allowed=False,
        version="2008-10-17",
    ),
    reaching(
        VARIABLES,
        "Between the colons of an ARN too",
        "arn:aws:sqs:*:${aws:PrincipalAccount}:q",
        "arn:aws:sqs:eu-central-1:111122223333:q",
        allowed=True,
    ),
    reaching(
        VARIABLES,
        "Of another account not",
        "arn:aws:sqs:*:${aws:PrincipalAccount}:q",
        "arn:aws:sqs:eu-central-1:444455556666:q",
        allowed=False,
    ),
    reaching(
        VARIABLES,
        "Nor without a value",
        "arn:aws:sqs:*:${aws:PrincipalTag/account}:*",
        "arn:aws:sqs:eu-central-1::q",
        allowed=False,
    ),
)
