"""Several people who complete one upload at the same moment, as two of a team that push the same file do."""

from __future__ import annotations

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
