"""Several people at work with one upload at the same moment, as two of a team that push the same file are."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.local_aws import LocalStack

MIB = 1 << 20
CALLERS = 6


def test_an_upload_completed_by_several_at_once_is_whole_for_all_of_them(local_aws: LocalStack) -> None:
    """One makes the object; the others find the upload gone or made; no version is anything but the file."""
    s3, bucket, together = local_aws.root_client("s3"), local_aws.bucket, Barrier(CALLERS)
    for _ in range(5):
        key = f"blobs/together/{uuid4()}/{'0' * 64}"
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        parts = [
            {
                "PartNumber": number,
                "ETag": s3.upload_part(
                    Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=bytes([number]) * 8 * MIB
                )["ETag"],
            }
            for number in (1, 2)
        ]

        def complete(
            _: int, key: str = key, upload: str = upload, parts: list[dict[str, object]] = parts
        ) -> str:
            together.wait(timeout=30)
            try:
                s3.complete_multipart_upload(
                    Bucket=bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": parts},
                )
            except ClientError as error:
                return error.response["Error"]["Code"]
            return "made"

        with ThreadPoolExecutor(CALLERS) as callers:
            answers = sorted(callers.map(complete, range(CALLERS)))
        versions = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        assert [version["Size"] for version in versions] == [16 * MIB]
        assert answers == sorted(["made"] + ["NoSuchUpload"] * (CALLERS - 1))


def test_parts_that_are_sent_again_meanwhile_change_nothing(local_aws: LocalStack) -> None:
    """A completed upload is whole, and each version can be read and deleted, whoever still sent parts."""
    s3, bucket = local_aws.root_client("s3"), local_aws.bucket
    bodies = {number: bytes([number]) * 5 * MIB for number in range(1, 5)}
    for attempt in range(12):
        key = f"blobs/together/{uuid4()}/{'0' * 64}"
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]

        def send(number: int, key: str = key, upload: str = upload) -> str:
            part = {"Key": key, "UploadId": upload, "PartNumber": number, "Body": bodies[number]}
            try:
                return str(s3.upload_part(Bucket=bucket, **part)["ETag"])
            except ClientError as error:
                return error.response["Error"]["Code"]

        with ThreadPoolExecutor(4 * len(bodies)) as senders:
            etags = dict(zip(bodies, senders.map(send, bodies), strict=True))
            late = [senders.submit(send, number) for number in 6 * list(bodies)]
            parts = [{"PartNumber": number, "ETag": etag} for number, etag in etags.items()]
            time.sleep(0.02 * attempt)  # whatever of it is still under way then
            s3.complete_multipart_upload(
                Bucket=bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
            )
        assert {answer.result() for answer in late} <= {*etags.values(), "NoSuchUpload"}
        (version,) = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        stored = s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Body"].read()
        assert stored == b"".join(bodies.values())
        answer = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": version["VersionId"]}]}
        )
        assert "Errors" not in answer
        assert "Versions" not in s3.list_object_versions(Bucket=bucket, Prefix=key)
