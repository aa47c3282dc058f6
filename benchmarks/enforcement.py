"""S3 calls to the local AWS, recorded and enforced, against the same LocalStack without either.

Both hold the same bucket (versioned, encrypted under a key, with the store's bucket policy) and a role with a
data scientist's policy. Four clients send presigned GET, PUT, HEAD and list calls in turn. A lap of the local
AWS ends when its trail has delivered all of them, so that nothing is left to run during the other's lap.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from string import Template
from typing import TYPE_CHECKING, Any

import boto3
import psutil
from botocore.config import Config

from benchmarks.figures import Figure, Report, columns
from benchmarks.plain_localstack import plain_localstack
from benchmarks.stack import REPOSITORY, BenchmarkError, running_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.progress import Say

TITLE = "S3 calls of a role session, with recording and enforcement and without (4 clients)"
TARGET = 1.25
CLIENTS = 4
CALLS = 2_000
BUCKET, TRAIL, ROLE = "measured-calls", "measured-calls", "measured-data-scientist"
_ACCOUNT, _REGION, _TEAM = "000000000000", "us-east-1", "fraud"
_BODY = b"m" * 1024
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class _PresignedCall:
    method: str
    target: str
    body: bytes | None


def measure(runs: int, say: Say) -> Report:
    """Calls a second both ways, the ratio of the times, and what the recording left in memory."""
    measured = []
    with running_stack() as stack, plain_localstack() as plain_port:
        process = psutil.Process(stack.process_id("localstack"))
        own, plain = _prepare(stack.aws_port, recorded=True), _prepare(plain_port, recorded=False)
        for run in range(runs + 1):
            without = _lap(plain_port, plain)
            begun = time.perf_counter()
            _lap(stack.aws_port, own)
            _deliver(stack.aws_port)
            recorded = time.perf_counter() - begun
            if run:  # the first one warms up
                measured.append((CALLS / recorded, CALLS / without, recorded / without))
                resident = process.memory_info().rss / _MIB
                say(f"run {run}: {recorded:.2f} s, without {without:.2f} s, {resident:.0f} MiB resident")
    with_calls, without_calls, ratio = columns(measured)
    figures = (
        Figure("recorded and enforced", "calls/s", with_calls),
        Figure("LocalStack as it comes", "calls/s", without_calls),
        Figure("time, with / without", "×", ratio, TARGET),
    )
    return Report("enforcement", TITLE, figures)


def _prepare(port: int, *, recorded: bool) -> Sequence[_PresignedCall]:
    """Bucket, role, session and, where it is recorded, a trail; the calls of one lap."""
    root = _Root(port)
    key = root.client("kms").create_key()["KeyMetadata"]["Arn"]
    values = {
        "partition": "aws",
        "account": _ACCOUNT,
        "region": _REGION,
        "bucket": BUCKET,
        "bytes_key_arn": key,
        "metadata_key_arn": f"{key}-of-metadata",
    }
    s3 = root.client("s3")
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    encryption = {"Rules": [{**rule, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=encryption)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=_rendered("bucket", values))
    session = root.session(_rendered("persona-data-scientist", values))
    if recorded:
        root.trail()
    url = f"http://localhost:{port}"
    client = session.client("s3", endpoint_url=url, config=Config(signature_version="s3v4"))
    name = f"blobs/{_TEAM}/measured/{sha256(_BODY).hexdigest()}"
    s3.put_object(Bucket=BUCKET, Key=name, Body=_BODY, Tagging="smas-state=verified")
    s3.put_object(Bucket=BUCKET, Key=f"{name}-again", Body=_BODY)
    kinds: tuple[tuple[str, str, dict[str, Any], bytes | None], ...] = (
        ("GET", "get_object", {"Key": name}, None),
        ("PUT", "put_object", {"Key": f"{name}-again"}, _BODY),
        ("HEAD", "head_object", {"Key": name}, None),
        ("GET", "list_objects_v2", {"Prefix": f"blobs/{_TEAM}/measured/"}, None),
    )
    calls = []
    for method, operation, parameters, body in kinds:
        signed = client.generate_presigned_url(
            operation, Params={"Bucket": BUCKET, **parameters}, ExpiresIn=3600
        )
        calls.append(_PresignedCall(method, signed.removeprefix(url), body))
    return calls


class _Root:
    """The account's root at one port."""

    def __init__(self, port: int) -> None:
        self._endpoint = f"http://localhost:{port}"
        self._session = boto3.Session("test", "test", region_name=_REGION)

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint)  # type: ignore[call-overload]

    def session(self, policy: str) -> boto3.Session:
        """A session of a role with this policy, as the service makes one for a person."""
        iam = self.client("iam")
        iam.create_user(UserName=ROLE)
        key = iam.create_access_key(UserName=ROLE)["AccessKey"]
        principal = {"AWS": f"arn:aws:iam::{_ACCOUNT}:user/{ROLE}"}
        actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
        trust = {"Effect": "Allow", "Principal": principal, "Action": actions}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.put_role_policy(RoleName=ROLE, PolicyName=ROLE, PolicyDocument=policy)
        user = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=_REGION)
        keys = user.client("sts", endpoint_url=self._endpoint).assume_role(
            RoleArn=role,
            RoleSessionName="ds-fraud",
            SourceIdentity="measured",
            Tags=[{"Key": "team", "Value": _TEAM}],
        )["Credentials"]
        return boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=_REGION
        )

    def trail(self) -> None:
        """A trail that records every call to the bucket, into a bucket of its own."""
        s3, target = self.client("s3"), f"{BUCKET}-trail"
        s3.create_bucket(Bucket=target)
        service = {"Service": "cloudtrail.amazonaws.com"}
        allow = {"Effect": "Allow", "Principal": service}
        statements = [
            {**allow, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{target}"},
            {**allow, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{target}/*"},
        ]
        s3.put_bucket_policy(
            Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
        )
        cloudtrail = self.client("cloudtrail")
        cloudtrail.create_trail(Name=TRAIL, S3BucketName=target, EnableLogFileValidation=True)
        everything = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{BUCKET}/"]}
        selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [everything]}
        cloudtrail.put_event_selectors(TrailName=TRAIL, EventSelectors=[selector])
        cloudtrail.start_logging(Name=TRAIL)


def _rendered(name: str, values: dict[str, str]) -> str:
    text = (REPOSITORY / "infra" / "policies" / f"{name}.json").read_text(encoding="utf-8")
    return json.dumps(json.loads(Template(text).substitute(values)))


def _lap(port: int, calls: Sequence[_PresignedCall]) -> float:
    """Seconds for all calls, spread over the clients."""

    def send(_client: int) -> None:
        connection = http.client.HTTPConnection("localhost", port, timeout=60)
        for _ in range(CALLS // CLIENTS // len(calls)):
            for call in calls:
                connection.request(call.method, call.target, call.body)
                response = connection.getresponse()
                answer = response.read()
                if response.status != http.client.OK:
                    text = answer[:300].decode("utf-8", "replace")
                    message = f"{call.method} was answered with {response.status}: {text}"
                    raise BenchmarkError(message)
        connection.close()

    begun = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(send, range(CLIENTS)))
    return time.perf_counter() - begun


def _deliver(port: int) -> None:
    """Return once everything recorded so far has been delivered."""
    request = urllib.request.Request(f"http://localhost:{port}/_smas/cloudtrail/flush", method="POST")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
        response.read()
