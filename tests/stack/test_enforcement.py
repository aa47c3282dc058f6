"""IAM holds in the local AWS: what a session may do, its policies say, whoever asks and however."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.accounts import Keys, assume
from tests.stack.sessions import keys_of_this_machine, persona, service_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local_aws import LocalStack

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    """The error code of a call that must not succeed."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def status(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> int:
    """The status a URL is answered with."""
    request = urllib.request.Request(url, method=method, headers=headers or {})
    try:
        with _DIRECT.open(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


class Blob:
    """Bytes of `fraud` in the bucket, with the tag that the verifier would set."""

    def __init__(self, local_aws: LocalStack, *, state: str | None = "verified") -> None:
        body = uuid.uuid4().bytes
        self.bucket = local_aws.bucket
        self.key = f"blobs/fraud/enforced/{hashlib.sha256(body).hexdigest()}"
        self._root = local_aws.root_client("s3")
        tagging = {"Tagging": f"smas-state={state}"} if state else {}
        self._root.put_object(Bucket=self.bucket, Key=self.key, Body=body, **tagging)

    @property
    def place(self) -> dict[str, str]:
        """Bucket and key, as parameters."""
        return {"Bucket": self.bucket, "Key": self.key}

    def tag(self, state: str) -> None:
        """Set the state anew."""
        tags = {"TagSet": [{"Key": "smas-state", "Value": state}]}
        self._root.put_object_tagging(**self.place, Tagging=tags)


def test_nothing_is_read_or_written_under_a_key_that_is_not_enabled(local_aws: LocalStack) -> None:
    """S3 looks at the key each time: disabled, awaiting its deletion, or not there, with the code of each."""
    kms, s3 = local_aws.root_client("kms"), local_aws.root_client("s3")
    key, other = (str(kms.create_key()["KeyMetadata"]["Arn"]) for _ in range(2))
    place = {"Bucket": f"keys-{uuid.uuid4().hex[:12]}", "Key": "object"}
    s3.create_bucket(Bucket=place["Bucket"])
    under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, "Body": b"x", **place}

    s3.put_object(**under)
    assert s3.get_object(**place)["Body"].read() == b"x"
    kms.disable_key(KeyId=key)
    assert refused(s3.get_object, **place) == "KMS.DisabledException"
    assert refused(s3.put_object, **under) == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    assert s3.get_object(**place)["Body"].read() == b"x"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refused(s3.get_object, **place) == "KMS.KMSInvalidStateException"
    assert refused(s3.put_object, **{**under, "SSEKMSKeyId": f"{other}0"}) == "KMS.NotFoundException"


def test_a_person_reads_their_team_and_no_other(local_aws: LocalStack) -> None:
    """The team in the session decides, not the word of the service."""
    blob = Blob(local_aws)

    mine = persona(local_aws, "data-scientist").client(local_aws, "s3")
    theirs = persona(local_aws, "data-scientist", team="nlp", name="ds-nlp").client(local_aws, "s3")

    assert mine.get_object(**blob.place)["ContentLength"] == 16
    for call in (theirs.get_object, theirs.get_object_tagging, theirs.delete_object):
        assert refused(call, **blob.place) == "AccessDenied"
    assert refused(theirs.head_object, **blob.place) == "403"
    assert refused(theirs.put_object, **blob.place, Body=b"x") == "AccessDenied"
    assert refused(theirs.list_objects_v2, Bucket=blob.bucket, Prefix="blobs/fraud/") == "AccessDenied"
    assert refused(mine.list_objects_v2, Bucket=blob.bucket) == "AccessDenied"


def test_unverified_bytes_are_read_by_nobody_and_a_new_tag_kills_urls(local_aws: LocalStack) -> None:
    """Without the tag no persona reads, and a URL handed out before is worth nothing after."""
    blob = Blob(local_aws, state=None)
    mine = persona(local_aws, "data-scientist").client(local_aws, "s3")
    url = mine.generate_presigned_url("get_object", Params=blob.place, ExpiresIn=60)
    assert status(url) == 403
    assert refused(
        persona(local_aws, "compliance", team=None).client(local_aws, "s3").get_object, **blob.place
    )

    blob.tag("verified")
    assert status(url) == 200
    blob.tag("quarantined")

    assert status(url) == 403
    assert refused(mine.get_object, **blob.place) == "AccessDenied"


def test_the_auditor_gets_no_byte(local_aws: LocalStack) -> None:
    """Not from S3, and not from the key."""
    blob = Blob(local_aws)
    auditor = persona(local_aws, "auditor", team=None, name="auditor")

    assert refused(auditor.client(local_aws, "s3").get_object, **blob.place) == "AccessDenied"
    assert (
        refused(
            auditor.client(local_aws, "kms").decrypt,
            CiphertextBlob=b"x" * 64,
            KeyId=local_aws.stack["bytes_key_arn"],
        )
        == "AccessDeniedException"
    )


@pytest.fixture
def reader(local_aws: LocalStack) -> Iterator[str]:
    """The name of a role that may read all of `blobs/fraud/` and use no key."""
    iam, name = local_aws.root_client("iam"), f"reader-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:user/smas-local"},
        "Action": "sts:AssumeRole",
    }
    read = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{local_aws.bucket}/blobs/fraud/*",
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document(read))
    yield name
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def document(*statements: dict[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def begin(local_aws: LocalStack, role: str, **asked: Any) -> Any:
    """An S3 client in a session of a role that trusts this machine's user."""
    sts = keys_of_this_machine(local_aws).client(local_aws, "sts")
    given = sts.assume_role(
        RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="reading", **asked
    )["Credentials"]
    keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return keys.client(local_aws, "s3")


def test_reading_an_encrypted_object_needs_the_key(local_aws: LocalStack, reader: str) -> None:
    """S3's leave is not enough: taking the key away takes the bytes away."""
    blob = Blob(local_aws)
    s3 = begin(local_aws, reader)
    assert refused(s3.get_object, **blob.place) == "AccessDenied"

    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": local_aws.stack["bytes_key_arn"]}
    iam = local_aws.root_client("iam")
    iam.put_role_policy(RoleName=reader, PolicyName="decrypt", PolicyDocument=document(allow))
    assert s3.get_object(**blob.place)["ContentLength"] == 16

    iam.delete_role_policy(RoleName=reader, PolicyName="decrypt")
    assert refused(s3.get_object, **blob.place) == "AccessDenied"


def test_a_session_policy_narrows_and_never_widens(local_aws: LocalStack, reader: str) -> None:
    """What the session policy leaves out is refused, and what only it allows is too."""
    first, second = Blob(local_aws), Blob(local_aws)
    arn = f"arn:aws:s3:::{local_aws.bucket}"
    everything = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    one = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "kms:Decrypt"],
        "Resource": [f"{arn}/{first.key}", local_aws.stack["bytes_key_arn"]],
    }
    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": local_aws.stack["bytes_key_arn"]}
    local_aws.root_client("iam").put_role_policy(
        RoleName=reader, PolicyName="decrypt", PolicyDocument=document(allow)
    )

    narrowed = begin(local_aws, reader, Policy=document(one))
    widened = begin(local_aws, reader, Policy=document(everything))

    assert narrowed.get_object(**first.place)["ContentLength"] == 16
    assert refused(narrowed.get_object, **second.place) == "AccessDenied"
    assert widened.get_object(**second.place)["ContentLength"] == 16
    assert refused(widened.put_object, **second.place, Body=b"x") == "AccessDenied"


def test_a_missing_key_is_404_only_for_who_may_list(local_aws: LocalStack) -> None:
    """Whoever may not list does not learn what is there; a deployer may list no blobs."""
    missing = {"Bucket": local_aws.bucket, "Key": f"cards/fraud/{uuid.uuid4().hex}.json"}
    blob = {"Bucket": local_aws.bucket, "Key": f"blobs/fraud/enforced/{uuid.uuid4().hex}"}
    scientist = persona(local_aws, "data-scientist").client(local_aws, "s3")
    root = local_aws.root_client("s3")

    assert refused(scientist.get_object, **missing) == "AccessDenied"  # lists are allowed by prefix only
    assert refused(scientist.get_object, **blob) == "AccessDenied"
    assert refused(root.get_object, **missing) == "NoSuchKey"


def test_the_bucket_policy_holds_for_everybody(local_aws: LocalStack) -> None:
    """What it denies is denied to the root too: overwriting what is immutable, a foreign key, plain HTTP."""
    root = Keys("test", "test").client(local_aws, "s3")
    key = {
        "Bucket": local_aws.bucket,
        "Key": f"manifests/fraud/enforced/{uuid.uuid4().int % 10**10:010}.json",
    }
    encrypted = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": local_aws.stack["metadata_key_arn"],
        "Body": b"{}",
    }

    assert refused(root.put_object, **key, **encrypted) == "AccessDenied"
    assert refused(root.put_object, **key, Body=b"{}", IfNoneMatch="*") == "AccessDenied"
    root.put_object(**key, **encrypted, IfNoneMatch="*")
    assert refused(root.put_object, **key, **encrypted, IfNoneMatch="*") == "PreconditionFailed"

    url = root.generate_presigned_url("get_object", Params=key, ExpiresIn=60)
    assert status(url) == 200
    assert status(url, headers={"X-Forwarded-Proto": "http"}) == 403


TOKEN = {"Key": "jti", "Value": "a-token"}


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        ("data-scientist", {"SourceIdentity": None}),
        ("data-scientist", {"Tags": [TOKEN, {"Key": "admin", "Value": "yes"}]}),
        ("data-scientist", {"Tags": None}),
        ("verifier-tagging", {"SourceIdentity": "smas-verifier", "Tags": None}),
        ("worker", {"Tags": None}),
    ],
)
def test_the_service_becomes_nobody_but_a_named_person(
    local_aws: LocalStack, role: str, asked: dict[str, Any]
) -> None:
    """Without source identity or token, with a tag of another name, as verifier or worker: refused."""
    parameters = {"RoleSessionName": "somebody", "SourceIdentity": "sub", "Tags": [TOKEN], **asked}
    wanted = {name: value for name, value in parameters.items() if value is not None}

    with pytest.raises(ClientError, match="AccessDenied"):
        assume(local_aws, service_keys(local_aws), role, **wanted)


def test_only_the_service_becomes_a_person(local_aws: LocalStack) -> None:
    """Neither this machine's key, nor the worker, nor a person as another person."""
    asked = {"RoleSessionName": "somebody", "SourceIdentity": "sub-of-ds-fraud", "Tags": [TOKEN]}
    machine = keys_of_this_machine(local_aws)
    for keys in (machine, assume(local_aws, machine, "worker"), persona(local_aws, "data-scientist")):
        with pytest.raises(ClientError, match="AccessDenied"):
            assume(local_aws, keys, "data-scientist", **asked)


def test_the_service_itself_reads_and_writes_nothing(local_aws: LocalStack) -> None:
    """Its role may become others and do nothing else."""
    blob, s3 = Blob(local_aws), service_keys(local_aws).client(local_aws, "s3")

    assert refused(s3.get_object, **blob.place) == "AccessDenied"
    assert refused(s3.list_objects_v2, Bucket=blob.bucket, Prefix="blobs/fraud/") == "AccessDenied"
    assert refused(
        service_keys(local_aws).client(local_aws, "sqs").receive_message,
        QueueUrl=local_aws.stack["events_queue_url"],
    )


def test_assume_role_answers_with_the_source_identity(local_aws: LocalStack) -> None:
    """As AWS does, so that a caller can see whom CloudTrail will name."""
    answer = (
        service_keys(local_aws)
        .client(local_aws, "sts")
        .assume_role(
            RoleArn="arn:aws:iam::000000000000:role/smas-auditor",
            RoleSessionName="auditor",
            SourceIdentity="sub-1",
            Tags=[TOKEN],
        )
    )

    assert answer["SourceIdentity"] == "sub-1"


@pytest.mark.parametrize("header", ["x-localstack-data", "X-LocalStack-Data"])
def test_nobody_passes_as_localstack_itself(local_aws: LocalStack, header: str) -> None:
    """A header that LocalStack marks its own calls with by default opens nothing."""
    blob = Blob(local_aws)

    assert status(f"{local_aws.endpoint}/{blob.bucket}/{blob.key}", headers={header: "{}"}) == 403


def test_no_way_leads_around_the_services(local_aws: LocalStack) -> None:
    """LocalStack would show the messages of any queue to anybody."""
    queue = urllib.parse.quote(local_aws.stack["events_queue_url"], safe="")

    for path in ("/_aws", "//_aws", "/%5Faws"):
        assert status(f"{local_aws.endpoint}{path}/sqs/messages?QueueUrl={queue}") == 403
    assert status(f"{local_aws.endpoint}/_localstack/health") == 200


def test_unknown_and_deleted_keys_are_refused(local_aws: LocalStack) -> None:
    """A key that was never given out, one that was deleted, and a known one with another secret."""
    iam, name = local_aws.root_client("iam"), f"user-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    keys = Keys(made["AccessKeyId"], made["SecretAccessKey"])
    assert keys.client(local_aws, "sts").get_caller_identity()["Arn"].endswith(f"user/{name}")
    wrong = Keys(keys.id, "another secret").client(local_aws, "sts")
    assert refused(wrong.get_caller_identity) == "SignatureDoesNotMatch"

    iam.delete_access_key(UserName=name, AccessKeyId=keys.id)
    iam.delete_user(UserName=name)

    for stranger in (keys, Keys("LKIAQAAAAAAANOBODYXX", "secret")):
        assert refused(stranger.client(local_aws, "sts").get_caller_identity) == "InvalidClientTokenId"
        assert refused(stranger.client(local_aws, "s3").list_buckets) == "InvalidAccessKeyId"
        assert refused(stranger.client(local_aws, "kms").list_keys) == "UnrecognizedClientException"


def test_a_deletion_of_many_is_judged_key_by_key(local_aws: LocalStack, reader: str) -> None:
    """What may not be deleted is named as an error in the answer, and is still there."""
    blob, other, root = Blob(local_aws), Blob(local_aws), local_aws.root_client("s3")
    version = root.head_object(**blob.place)["VersionId"]
    allow = {
        "Effect": "Allow",
        "Action": "s3:DeleteObjectVersion",
        "Resource": f"arn:aws:s3:::{blob.bucket}/{blob.key}",
    }
    local_aws.root_client("iam").put_role_policy(
        RoleName=reader, PolicyName="delete", PolicyDocument=document(allow)
    )
    s3 = begin(local_aws, reader)
    wanted = [{"Key": blob.key, "VersionId": version}, {"Key": other.key}]

    answer = s3.delete_objects(Bucket=blob.bucket, Delete={"Objects": wanted})
    again = s3.delete_objects(Bucket=blob.bucket, Delete={"Objects": wanted[1:]})

    assert [deleted["Key"] for deleted in answer["Deleted"]] == [blob.key]
    for errors in (answer["Errors"], again["Errors"]):
        assert [(error["Key"], error["Code"]) for error in errors] == [(other.key, "AccessDenied")]
    assert root.head_object(**other.place)["ContentLength"] == 16


def test_the_root_assumes_no_role(local_aws: LocalStack) -> None:
    """As in AWS, whatever the role's trust policy says."""
    with pytest.raises(ClientError, match="root accounts"):
        local_aws.root_client("sts").assume_role(
            RoleArn="arn:aws:iam::000000000000:role/smas-service", RoleSessionName="root"
        )


def test_the_token_of_a_session_is_part_of_its_key(local_aws: LocalStack) -> None:
    """Key and secret without the session's own token open nothing."""
    keys = persona(local_aws, "data-scientist")
    listing = {"Bucket": local_aws.bucket, "Prefix": "cards/fraud/"}
    assert keys.client(local_aws, "s3").list_objects_v2(**listing)["Name"] == local_aws.bucket

    for token in (None, "of another session"):
        s3 = Keys(keys.id, keys.secret, token).client(local_aws, "s3")
        assert refused(s3.list_objects_v2, **listing) == "InvalidToken"
