"""The commands that are compared, each in the environment a user would give it; the verifier stands still."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.client import Caller, wait_until_available
from benchmarks.processes import Ended, paused, run, settle_disks
from benchmarks.stack import REPOSITORY, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PLAIN_BUCKET = "plain"  # of names: it is nobody's store
SMAS = (sys.executable, "-m", "smas")
_AWS = (str(REPOSITORY / ".venv" / "emulator" / "bin" / "python"), "-m", "awscli")
_TOTAL_BYTES = 1 << 30
_BLOCK = os.urandom(16 << 20)


def write_gibibyte(folder: Path, files: int) -> None:
    """1 GiB in so many files, of bytes that no run and no file shares with another."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        with (folder / f"weights-{number:03}.bin").open("wb") as file:
            for _ in range(_TOTAL_BYTES // files // len(_BLOCK)):
                file.write(os.urandom(16) + _BLOCK[16:])


class Commands:
    """Runs commands against one stack; folders to ``clear`` are removed before, and disks written out."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.cache = folder / "cache"
        self._stack = stack
        self._folder = folder
        self._described = json.loads((stack.state / "stack.json").read_text(encoding="utf-8"))
        # Installed programs are compiled once; a variable that forbids it would have ours compiled each time.
        foreign = ("AWS_", "SMAS_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        direct = {"no_proxy": "localhost,127.0.0.1", "NO_PROXY": "localhost,127.0.0.1"}
        self.environment = {
            **kept,
            **direct,
            "SMAS_STORE": f"http://localhost:{stack.port}",
            "SMAS_CONFIG": str(folder / "config"),
            "SMAS_CACHE": str(self.cache),
        }
        self.aws_environment = {
            **kept,
            **direct,
            "AWS_ENDPOINT_URL": self._described["aws_endpoint"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self._described["region"],
            "AWS_CONFIG_FILE": os.devnull,
        }

    def prepare(self) -> None:
        """Sign in as a user would, once, and make the bucket that one would use without a store.

        It is encrypted and versioned as the store's own.
        """
        password = self._folder / "password"
        password.write_text(self._described["password"], encoding="utf-8")
        login = (*SMAS, "login", "--username", "ds-fraud", "--password-stdin")
        command = f'"$@" < "{password}"'
        run(("/bin/sh", "-c", command, "login", *login), self.environment)
        s3: Any = self._stack.s3()
        s3.create_bucket(Bucket=PLAIN_BUCKET)
        s3.put_bucket_versioning(Bucket=PLAIN_BUCKET, VersioningConfiguration={"Status": "Enabled"})
        key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self._described["bytes_key_arn"]}
        s3.put_bucket_encryption(
            Bucket=PLAIN_BUCKET,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": key}]},
        )

    def smas(self, *arguments: str, clear: Sequence[Path] = ()) -> Ended:
        """Our command."""
        return self.measured((*SMAS, "--quiet", *arguments), self.environment, clear)

    def aws(self, *arguments: str, clear: Sequence[Path] = ()) -> Ended:
        """The AWS CLI."""
        return self.measured((*_AWS, *arguments, "--only-show-errors"), self.aws_environment, clear)

    def measured(
        self, command: Sequence[str], environment: Mapping[str, str], clear: Sequence[Path] = ()
    ) -> Ended:
        """Any command."""
        for folder in clear:
            shutil.rmtree(folder, ignore_errors=True)
        settle_disks()
        with paused(self._stack.process_id("worker")):
            return run(command, environment)

    def wait_until_available(self, model: str, number: int) -> None:
        """Let the verifier finish."""
        caller = Caller(self._stack.port, self._stack.token("ds-fraud"))
        wait_until_available(caller, model, number, poll_seconds=0.5)

    def forget(self, model: str) -> None:
        """Free the disk behind the local AWS."""
        s3: Any = self._stack.s3()
        for bucket, prefix in ((PLAIN_BUCKET, ""), (self._stack.bucket, f"blobs/{model}/")):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                for version in page.get("Versions", []):
                    s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
