"""What is lifted for a destruction is all that the configuration protects, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from deployment.belongings import keys
from deployment.destroy import _goes_last, _let_go
from deployment.protection import lifted, switched_on
from deployment.terraform import Resource

INFRA = Path(__file__).parents[2] / "infra"


def test_each_protection_of_the_configuration_is_lifted() -> None:
    """In the module that it stands in; a protection that is added is lifted without a change here."""
    overrides = lifted(INFRA)
    assert set(overrides) == {".", "cloudtrail"}
    for folder, text in overrides.items():
        wanted = sum(
            len(re.findall(r"prevent_destroy\s*=\s*true", file.read_text(encoding="utf-8")))
            for file in (INFRA / folder).glob("*.tf")
        )
        assert text.count("prevent_destroy = false") == wanted > 0
    assert 'deletion_protection = "INACTIVE"' in overrides["."]


def test_the_override_names_resources_and_only_what_protects_them() -> None:
    """So that everything else of them stays as it is."""
    allowed = {"deletion_protection", "force_destroy", "prevent_destroy"}
    for text in lifted(INFRA).values():
        assert set(re.findall(r"^\s+(\w+)\s*=", text, re.MULTILINE)) <= allowed


def test_only_what_is_still_protected_is_applied_to() -> None:
    """A destruction that is repeated goes on without an apply, which would make what was let go of anew."""
    pool = of("aws_cognito_user_pool", "people", deletion_protection="ACTIVE")
    open_pool = of("aws_cognito_user_pool", "open", deletion_protection="INACTIVE")
    workgroup = Resource("aws_athena_workgroup.audit", "aws_athena_workgroup", {"force_destroy": False})
    emptied = Resource("aws_athena_workgroup.emptied", "aws_athena_workgroup", {"force_destroy": True})
    found = switched_on([pool, open_pool, workgroup, emptied, of("aws_s3_bucket", "models")])
    assert found == [pool.address, workgroup.address]


def of(kind: str, name: str, **values: str) -> Resource:
    """Something of a state."""
    return Resource(f"{kind}.{name}", kind, values)


STATE = [
    of("aws_s3_bucket", "models", bucket="models", region="eu-central-1"),
    of("aws_s3_bucket_policy", "models", bucket="models", policy="... key/bytes ... key/metadata ..."),
    of("aws_s3_bucket_public_access_block", "models", bucket="models"),
    of("aws_s3_bucket_notification", "models", bucket="models"),
    of("aws_s3_bucket_replication_configuration", "models", bucket="models"),
    of("aws_s3_bucket", "athena", bucket="athena", region="eu-central-1"),
    of("aws_s3_bucket_policy", "athena", bucket="athena", policy="..."),
    *(of("aws_kms_key", name, arn=f"key/{name}", key_id=name) for name in ("bytes", "metadata", "signing")),
    of("aws_kms_alias", "bytes", target_key_id="bytes"),
    of("aws_kms_alias", "signing", target_key_id="signing"),
    of("aws_kms_key_policy", "metadata", key_id="metadata"),
    of("aws_lambda_function", "api"),
]


def test_a_bucket_that_stays_keeps_what_guards_it_and_its_keys() -> None:
    """What needs other things of the store, as a queue, goes with them."""
    assert _let_go(STATE, {"models"}) == [
        "aws_kms_alias.bytes",
        "aws_kms_key.bytes",
        "aws_kms_key.metadata",
        "aws_kms_key_policy.metadata",
        "aws_s3_bucket.models",
        "aws_s3_bucket_policy.models",
        "aws_s3_bucket_public_access_block.models",
    ]
    assert [key.address for key in keys(STATE, {"athena"})] == []
    assert _let_go(STATE, set()) == []


def test_buckets_go_last_and_their_policies_before() -> None:
    """A bucket is emptied when nothing writes into it any more, and nothing forbids it."""
    last = [resource.address for resource in STATE if _goes_last(resource)]
    assert "aws_s3_bucket.models" in last
    assert "aws_kms_key.bytes" in last
    assert "aws_s3_bucket_public_access_block.models" in last
    for early in (
        "aws_s3_bucket_policy.models",
        "aws_s3_bucket_notification.models",
        "aws_lambda_function.api",
    ):
        assert early not in last
