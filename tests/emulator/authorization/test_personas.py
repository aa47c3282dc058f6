"""What each persona may and may not, decided by our own policies as they are deployed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from smas_emulator.authorization.authorizer import Authorizer, RefusedDeletion
from smas_emulator.authorization.ports import BucketFacts, ObjectFacts
from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.principals import Anonymous, Root, ServicePrincipal

from tests.emulator.authorization.account import (
    ACCOUNT,
    BLOB,
    BUCKET_ARN,
    BYTES_KEY,
    CARD,
    LOCAL_USER,
    ME,
    METADATA_KEY,
    NOW,
    PRESIGNED,
    REGION,
    ROOT,
    VERIFIED,
    FakeAccount,
    call,
    session,
)
from tests.infra.rendering import BUCKET, PERSONAS, ROLES, rendered

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call

SCIENTIST = session("persona-data-scientist")
AUDITOR = session("persona-auditor", tags={"jti": "j"})
ALLOW_ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
ALLOW_LISTS = ALLOW_ALL.replace('"Action": "*"', '"Action": "s3:ListBucket"')
UNDER_METADATA_KEY: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": METADATA_KEY}


def refusal(asked: Call, account: FakeAccount | None = None) -> AwsError | None:
    """The error a call is refused with; None when it may be served."""
    try:
        Authorizer(account or FakeAccount()).authorize(asked)
    except AwsError as error:
        return error
    return None


def may(asked: Call, account: FakeAccount | None = None) -> bool:
    """Whether a call may be served; any refusal is an `AccessDenied` of 403."""
    error = refusal(asked, account)
    assert error is None or (error.code, error.status) == ("AccessDenied", 403)
    return error is None


@pytest.mark.parametrize("signature", [PRESIGNED, None])
@pytest.mark.parametrize("role", ROLES)
def test_verified_bytes_are_read_by_those_who_should(role: str, signature: Any) -> None:
    """Presigned or not, and by nobody else; a deployer also waits for the release."""
    asked = call(session(role), "GetObject", Key=BLOB, signature=signature)
    readers = {
        "persona-data-scientist",
        "persona-approver",
        "persona-compliance",
        "verifier-scanning",
    }
    assert may(asked) == (role in readers)


@pytest.mark.parametrize("role", PERSONAS)
def test_a_tag_that_changes_kills_reads(role: str) -> None:
    """The tag of the version that is addressed decides, at the time of the request."""
    account = FakeAccount()
    asked = call(session(role), "GetObject", Key=BLOB, VersionId="v1", signature=PRESIGNED)
    released = ObjectFacts({**VERIFIED, "smas-release": "yes"}, BYTES_KEY)
    account.objects[(BLOB, "v1")] = released
    assert may(asked, account) == (role not in {"persona-auditor", "persona-custodian"})
    account.objects[(BLOB, "v1")] = replace(released, tags={**released.tags, "smas-state": "quarantined"})
    assert not may(asked, account)


def test_another_team_gets_nothing() -> None:
    """The team in the session decides about bytes, records and lists."""
    other = session("persona-data-scientist", tags={"jti": "j", "team": "nlp"})
    asked: list[tuple[str, dict[str, Any]]] = [
        ("GetObject", {"Key": BLOB}),
        ("GetObject", {"Key": CARD}),
        ("GetObjectTagging", {"Key": BLOB}),
        ("ListObjectsV2", {"Prefix": "cards/fraud/"}),
    ]
    for operation, parameters in asked:
        assert may(call(SCIENTIST, operation, **parameters))
        assert not may(call(other, operation, **parameters))


def test_a_list_stays_within_its_prefixes() -> None:
    """The bucket as a whole is listed by nobody, nor are its settings seen."""
    assert may(call(SCIENTIST, "ListObjectVersions", Prefix="blobs/fraud/m/"))
    asked: list[tuple[str, dict[str, Any]]] = [
        ("ListObjectsV2", {}),
        ("ListObjectsV2", {"Prefix": ""}),
        ("ListObjectsV2", {"Prefix": "cards/"}),
        ("HeadBucket", {}),
        ("ListMultipartUploads", {"Prefix": "blobs/fraud/"}),
        ("GetBucketPolicy", {}),
        ("ListBuckets", {}),
    ]
    for operation, parameters in asked:
        assert not may(call(SCIENTIST, operation, **parameters))


def test_records_are_published_as_the_bucket_demands() -> None:
    """Under the metadata key, and what must never change only where nothing was."""
    manifest = "manifests/fraud/m/7.json"
    assert may(call(SCIENTIST, "PutObject", Key=CARD, **UNDER_METADATA_KEY))
    assert may(call(SCIENTIST, "PutObject", Key=manifest, IfNoneMatch="*", **UNDER_METADATA_KEY))
    assert not may(call(SCIENTIST, "PutObject", Key=manifest, **UNDER_METADATA_KEY))
    assert not may(call(SCIENTIST, "PutObject", Key=CARD))
    assert not may(call(SCIENTIST, "PutObject", Key=CARD, ServerSideEncryption="AES256"))
    assert not may(call(SCIENTIST, "PutObject", Key=CARD, StorageClass="GLACIER", **UNDER_METADATA_KEY))
    assert not may(
        call(SCIENTIST, "PutObject", Key=CARD, Tagging="smas-state=verified", **UNDER_METADATA_KEY)
    )


def test_bytes_are_uploaded_in_one_or_in_parts() -> None:
    """Under the bytes key, the bucket's default, and never under the metadata key."""
    for operation in ("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"):
        assert may(call(SCIENTIST, operation, Key=BLOB, UploadId="u1", signature=PRESIGNED))
    assert may(call(SCIENTIST, "ListParts", Key=BLOB, UploadId="u1"))
    assert may(call(SCIENTIST, "AbortMultipartUpload", Key=BLOB, UploadId="u1"))
    assert not may(call(SCIENTIST, "PutObject", Key=BLOB, **UNDER_METADATA_KEY))
    assert not may(call(SCIENTIST, "PutObject", Key=BLOB, SSECustomerAlgorithm="AES256"))
    assert not may(call(SCIENTIST, "DeleteObject", Key=BLOB))


def test_a_copy_needs_both_ends() -> None:
    """What one may not read, one may not copy; a source that is not there is not told."""
    account = FakeAccount()
    parameters: dict[str, Any] = {
        "Key": BLOB,
        "CopySource": f"{BUCKET}/{CARD}",
        "TaggingDirective": "REPLACE",
    }
    assert may(call(SCIENTIST, "CopyObject", **parameters), account)
    del account.objects[(CARD, None)]
    assert not may(call(SCIENTIST, "CopyObject", **parameters), account)
    unverified = {**parameters, "CopySource": f"{BUCKET}/blobs/fraud/m/unverified"}
    account.objects[("blobs/fraud/m/unverified", None)] = ObjectFacts({}, BYTES_KEY)
    assert not may(call(SCIENTIST, "CopyObject", **unverified), account)


def test_only_the_verifier_sets_the_state_and_only_of_a_version() -> None:
    """With our tags and no others."""

    def tagging(role: str, version: str | None, *keys: str) -> Call:
        tags = {"TagSet": [{"Key": key, "Value": "v"} for key in keys]}
        named: dict[str, Any] = {} if version is None else {"VersionId": version}
        return call(session(role), "PutObjectTagging", Key=BLOB, Tagging=tags, **named)

    assert may(tagging("verifier-tagging", "v1", "smas-state", "smas-release"))
    assert not may(tagging("verifier-tagging", "v1", "smas-state", "other"))
    assert not may(tagging("verifier-tagging", None, "smas-state"))
    for role in {*ROLES} - {"verifier-tagging"}:
        assert not may(tagging(role, "v1", "smas-state"))


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "GetObjectAttributes", "GetObjectTagging"])
def test_a_missing_key_is_403_without_list_rights_and_404_with(operation: str) -> None:
    """With them the call passes on to S3, which answers 404. A delete marker hides its key all the same."""
    account = FakeAccount()
    reader = session("reader")
    read = {"Effect": "Allow", "Action": "s3:Get*", "Resource": f"{BUCKET_ARN}/*"}
    lists = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET_ARN}
    asked = call(reader, operation, Key="cards/fraud/none.json")
    for there in (None, ObjectFacts(delete_marker=True)):
        if there is not None:
            account.objects[("cards/fraud/none.json", None)] = there
        account.policies["smas-reader"] = [json.dumps({"Version": "2012-10-17", "Statement": [read]})]
        error = refusal(asked, account)
        assert error is not None
        assert (error.code, error.status) == ("AccessDenied", 403)
        assert f's3:ListBucket on resource: "{BUCKET_ARN}"' in error.message
        account.policies["smas-reader"] = [json.dumps({"Version": "2012-10-17", "Statement": [read, lists]})]
        assert refusal(asked, account) is None


def test_a_list_right_within_prefixes_is_none_for_a_read() -> None:
    """A read has no `s3:prefix`: our personas learn of a missing key by listing it."""
    assert not may(call(SCIENTIST, "GetObject", Key="cards/fraud/none.json"))
    assert may(call(SCIENTIST, "ListObjectsV2", Prefix="cards/fraud/none.json"))


def test_the_key_taken_away_takes_the_bytes_away() -> None:
    """Whoever may read from S3 still needs the key."""
    account = FakeAccount()
    policy = json.loads(account.policies["smas-data-scientist"][0])
    policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != "UseKeysThroughS3"]
    account.policies["smas-data-scientist"] = [json.dumps(policy)]
    error = refusal(call(SCIENTIST, "GetObject", Key=BLOB), account)
    assert error is not None
    assert error.message == (
        f"User: {SCIENTIST.arn} is not authorized to perform: kms:Decrypt on resource: {BYTES_KEY} "
        "because no identity-based policy allows the kms:Decrypt action"
    )
    assert not may(call(SCIENTIST, "PutObject", Key=BLOB), account)
    assert not may(call(SCIENTIST, "UploadPart", Key=BLOB, UploadId="u1"), account)


def test_a_key_policy_that_delegates_to_nobody_lets_nobody_in() -> None:
    """A role's own policy counts only where the key's policy says so."""
    account = FakeAccount()
    account.keys[BYTES_KEY] = replace(account.keys[BYTES_KEY], policy=rendered("events-queue").text)
    error = refusal(call(SCIENTIST, "GetObject", Key=BLOB), account)
    assert error is not None
    assert error.message.endswith("because no resource-based policy allows the kms:Decrypt action")


@pytest.mark.parametrize("role", ["persona-auditor", "persona-custodian", "verifier-tagging"])
def test_whoever_reads_no_byte_reads_none_though_s3_be_wide_open(role: str) -> None:
    """The key's own policy refuses, even when the role's policy is all there is in the world."""
    account = FakeAccount()
    reader = session(role)
    account.policies[reader.role_name] = [ALLOW_ALL]
    error = refusal(call(reader, "GetObject", Key=BLOB), account)
    assert error is not None
    assert error.message == (
        f"User: {reader.arn} is not authorized to perform: kms:Decrypt on resource: {BYTES_KEY} "
        "with an explicit deny in a resource-based policy"
    )
    assert may(call(reader, "GetObject", Key=CARD), account)


def test_a_key_that_is_not_there_reads_nothing() -> None:
    """S3's own error."""
    account = FakeAccount()
    account.keys.clear()
    error = refusal(call(SCIENTIST, "GetObject", Key=BLOB), account)
    assert error is not None
    assert (error.code, error.status) == ("KMS.NotFoundException", 400)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (
            call(SCIENTIST, "GetBucketPolicy"),
            "because no identity-based policy allows the s3:GetBucketPolicy action",
        ),
        (call(AUDITOR, "GetObject", Key=BLOB), "with an explicit deny in an identity-based policy"),
        (
            call(SCIENTIST, "GetObject", Key=CARD, secure=False),
            "with an explicit deny in a resource-based policy",
        ),
        (
            call(
                session("persona-data-scientist", policy=ALLOW_LISTS),
                "GetObject",
                Key=CARD,
            ),
            "because no session policy allows the s3:GetObject action",
        ),
    ],
)
def test_a_refusal_says_which_policy_it_was(asked: Call, reason: str) -> None:
    """In S3's words, with the caller, the action and the resource."""
    error = refusal(asked)
    assert error is not None
    action = f"s3:{asked.operation}"
    resource = BUCKET_ARN + (f"/{asked.parameters['Key']}" if "Key" in asked.parameters else "")
    caller = asked.principal.arn  # type: ignore[union-attr]  # every caller here has one
    expected = f'User: {caller} is not authorized to perform: {action} on resource: "{resource}" {reason}'
    assert error.message == expected


def test_a_session_policy_only_narrows() -> None:
    """What it allows besides is worth nothing."""
    narrowed = session("persona-data-scientist", policy=ALLOW_ALL)
    assert may(call(narrowed, "GetObject", Key=CARD))
    assert not may(call(narrowed, "GetBucketPolicy"))


def test_an_old_presigned_url_is_refused_and_an_old_header_is_not() -> None:
    """The bucket refuses signatures older than an hour, of presigned requests only."""
    old = replace(PRESIGNED, signed_at=NOW - timedelta(minutes=61))
    assert not may(call(SCIENTIST, "GetObject", Key=CARD, signature=old))
    assert may(call(SCIENTIST, "GetObject", Key=CARD, signature=replace(old, kind="AuthHeader")))


def test_deletes_are_refused_key_by_key() -> None:
    """The others may go on; asked as one call, it is refused."""
    objects = [{"Key": "uploads/fraud/a"}, {"Key": CARD}, {"Key": "uploads/fraud/b", "VersionId": "v"}]
    asked = call(SCIENTIST, "DeleteObjects", Delete={"Objects": objects})
    refused = Authorizer(FakeAccount()).refused_deletions(asked)
    assert [(each.key, each.version_id, each.code) for each in refused] == [
        (CARD, None, "AccessDenied"),
        ("uploads/fraud/b", "v", "AccessDenied"),
    ]
    assert isinstance(refused[0], RefusedDeletion)
    assert "s3:DeleteObjectVersion" in refused[1].message
    assert not may(asked)
    allowed = call(SCIENTIST, "DeleteObjects", Delete={"Objects": objects[:1]})
    assert Authorizer(FakeAccount()).refused_deletions(allowed) == ()
    assert may(allowed)


def test_root_is_limited_by_nothing_but_an_explicit_deny() -> None:
    """Of the bucket's policy; and can always take that back."""
    assert may(call(ROOT, "GetObject", Key=BLOB))
    assert may(call(ROOT, "GetObject", Key="missing"))
    assert may(call(ROOT, "CreateBucket", Bucket="new"))
    assert not may(call(ROOT, "PutObject", Key=CARD))
    assert not may(call(ROOT, "GetObject", Key=CARD, secure=False))
    assert may(call(ROOT, "DeleteBucketPolicy", secure=False))
    assert not may(call(ROOT, "GetBucketAcl", secure=False))


def test_nobody_and_strangers_get_nothing() -> None:
    """Who signed nothing, a user without a policy for it, and a role of another account."""
    stranger = session("persona-data-scientist", account="999999999999")
    for principal in (Anonymous(), LOCAL_USER, stranger, session("unknown")):
        assert not may(call(principal, "GetObject", Key=CARD))


def test_across_accounts_both_sides_must_agree() -> None:
    """The bucket's policy is not enough, nor is the caller's own; and the reason is not told."""
    account = FakeAccount()
    account.policies["smas-auditor"] = [ALLOW_ALL]
    opened = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": AUDITOR.role_arn},
                "Action": "s3:GetObject",
                "Resource": f"{BUCKET_ARN}/*",
            }
        ],
    }
    account.objects[(CARD, None)] = ObjectFacts()
    asked = call(AUDITOR, "GetObject", Key=CARD)
    foreign = BucketFacts("999999999999", REGION)
    account.buckets[BUCKET] = foreign
    error = refusal(asked, account)
    assert error is not None
    assert error.message == "Access Denied"
    account.buckets[BUCKET] = replace(foreign, policy=json.dumps(opened))
    assert may(asked, account)
    account.policies["smas-auditor"] = []
    assert not may(asked, account)


@pytest.mark.parametrize("which", ["identity", "session", "resource"])
def test_a_policy_that_cannot_be_read_denies(which: str, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says so: what is not understood allows nothing."""
    account, asked = FakeAccount(), call(SCIENTIST, "GetObject", Key=CARD)
    if which == "identity":
        account.policies["smas-data-scientist"].append('{"Statement": "identity"')
    elif which == "session":
        asked = replace(asked, principal=session("persona-data-scientist", policy='{"Statement": "session"'))
    else:
        account.buckets[BUCKET] = replace(account.buckets[BUCKET], policy='{"Statement": "resource"')
    assert not may(asked, account)
    assert "cannot be read" in caplog.text


def test_an_operation_nobody_knows_is_refused_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """To root as well."""
    assert not may(call(ROOT, "RenameObject", Key=CARD))
    assert "RenameObject" in caplog.text


def test_a_service_gets_what_the_things_policy_gives_it() -> None:
    """By its name and by what it says it acts for; without a policy, nothing."""
    trail = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/smas"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*",
        "Condition": {"StringEquals": {"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    said = {"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}
    authorizer = Authorizer(FakeAccount())

    def allowed(
        service: str = "cloudtrail.amazonaws.com",
        action: str = "s3:PutObject",
        context: dict[str, str] = said,
        text: str | None = policy,
    ) -> bool:
        return authorizer.may_service(service, action, "arn:aws:s3:::logs/AWSLogs/1", context, text)

    assert allowed()
    assert not allowed(service="config.amazonaws.com")
    assert not allowed(action="s3:GetBucketAcl")
    assert not allowed(context={})
    assert not allowed(text=None)
    assert not allowed(text='{"Statement": "service"')


def test_a_services_call_is_judged_by_the_resource_policy() -> None:
    """There is no policy of its own that could help it."""
    account = FakeAccount()
    account.objects[(CARD, None)] = ObjectFacts()
    opened = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "s3:GetObject",
                "Resource": f"{BUCKET_ARN}/*",
                "Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}},
            }
        ],
    }
    asked = call(ServicePrincipal("s3.amazonaws.com"), "GetObject", Key=CARD, signature=None)
    assert not may(asked, account)
    account.buckets[BUCKET] = replace(account.buckets[BUCKET], policy=json.dumps(opened))
    assert may(asked, account)


def test_the_identity_in_a_path_is_the_callers() -> None:
    """A request's record is read by the one who made it."""
    account = FakeAccount()
    mine = f"requests/fraud/{ME}/key"
    account.objects[(mine, None)] = ObjectFacts({}, METADATA_KEY)
    assert may(call(SCIENTIST, "GetObject", Key=mine), account)
    other = session("persona-data-scientist", source_identity="somebody")
    assert not may(call(other, "GetObject", Key=mine), account)


def test_another_accounts_root_is_no_root_here() -> None:
    """It needs to be let in like anybody."""
    assert not may(call(Root("999999999999", "AKIA"), "GetObject", Key=CARD))
    assert not may(call(Root("999999999999", "AKIA"), "GetBucketPolicy"))
