"""Provisions the local AWS account. Running it again changes only what differs, so every start runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from smas_emulator import log_groups, roles, seed, storage, trail, user_pool
from smas_emulator.cognito import tokens
from smas_emulator.errors import StackError
from smas_emulator.policies import Placeholders, PolicyTemplates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What now exists in the local account, and where."""

    endpoint: str
    bytes_key_arn: str
    metadata_key_arn: str
    logs_key_arn: str
    events_queue_url: str
    dead_letter_queue_url: str
    access_key: roles.AccessKey
    pool: user_pool.UserPool

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens."""
        return tokens.issuer(seed.REGION, self.pool.id)

    @property
    def jwks_url(self) -> str:
        """Where the pool's key set is served."""
        return f"{self.endpoint}/{self.pool.id}/.well-known/jwks.json"

    @property
    def token_url(self) -> str:
        """The OAuth token endpoint."""
        return f"{self.endpoint}/oauth2/token"


def provision(
    endpoint: str, infra: Path, known: roles.AccessKey | None, say: Callable[[str], None]
) -> Provisioned:
    """Bring the account behind `endpoint` to what the store needs.

    `infra` has the folders of policy templates and of metric filters, `known` is the key of an earlier start,
    `say` is told each step. Raises `StackError` with the step and AWS's own words when a call fails.
    """
    session = boto3.Session(
        aws_access_key_id=seed.ROOT_ACCESS_KEY,
        aws_secret_access_key=seed.ROOT_SECRET_KEY,
        region_name=seed.REGION,
    )
    # No proxy of this machine's environment may stand between us and a server on it.
    direct = Config(proxies={}, connect_timeout=5, read_timeout=60, retries={"mode": "standard"})

    step = "keys"
    try:
        say("provisioning: keys")
        kms = session.client("kms", endpoint_url=endpoint, config=direct)
        bytes_key = storage.provision_key(kms, seed.BYTES_KEY_ALIAS, "the bytes of models")
        metadata_key = storage.provision_key(kms, seed.METADATA_KEY_ALIAS, "the metadata of models")
        logs_key = storage.provision_key(kms, seed.LOGS_KEY_ALIAS, "what the trail delivers")
        policies = PolicyTemplates(infra / "policies", _placeholders(bytes_key, metadata_key, logs_key))

        step = "roles"
        say("provisioning: roles")
        access_key = roles.provision_roles(
            session.client("iam", endpoint_url=endpoint, config=direct), policies, known
        )
        for key, policy in (
            (bytes_key, "kms-bytes"),
            (metadata_key, "kms-metadata"),
            (logs_key, "kms-logs"),
        ):
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policies.render(policy))

        step = "queues and bucket"
        say("provisioning: queues and bucket")
        sqs = session.client("sqs", endpoint_url=endpoint, config=direct)
        events_url, dead_url = storage.provision_queues(sqs, policies)
        s3 = session.client("s3", endpoint_url=endpoint, config=direct)
        storage.provision_bucket(s3, policies, bytes_key)

        step = "trail"
        say("provisioning: trail")
        cloudtrail = session.client("cloudtrail", endpoint_url=endpoint, config=direct)
        trail.provision_trail(s3, cloudtrail, policies, logs_key)

        step = "log groups"
        say("provisioning: log groups")
        logs = session.client("logs", endpoint_url=endpoint, config=direct)
        log_groups.provision_log_groups(logs, infra / "metric-filters")

        step = "user pool"
        say("provisioning: user pool")
        pool = user_pool.provision_user_pool(
            session.client("cognito-idp", endpoint_url=endpoint, config=direct)
        )
    except (ClientError, BotoCoreError) as error:
        msg = f"Provisioning the {step} at {endpoint} failed: {error}"
        raise StackError(msg) from error
    return Provisioned(
        endpoint=endpoint,
        bytes_key_arn=bytes_key,
        metadata_key_arn=metadata_key,
        logs_key_arn=logs_key,
        events_queue_url=events_url,
        dead_letter_queue_url=dead_url,
        access_key=access_key,
        pool=pool,
    )


def _placeholders(bytes_key_arn: str, metadata_key_arn: str, logs_key_arn: str) -> Placeholders:
    return Placeholders(
        partition=seed.PARTITION,
        account=seed.ACCOUNT,
        region=seed.REGION,
        bucket=seed.BUCKET,
        bytes_key_arn=bytes_key_arn,
        metadata_key_arn=metadata_key_arn,
        logs_key_arn=logs_key_arn,
        events_queue_arn=storage.queue_arn(seed.EVENTS_QUEUE),
        service_role_arn=roles.role_arn("service"),
        worker_role_arn=roles.role_arn("worker"),
        role_prefix=seed.ROLE_PREFIX,
        trail_bucket=seed.TRAIL_BUCKET,
        trail_prefix=seed.TRAIL_PREFIX,
        trail_arn=trail.trail_arn(),
        service_log_group_arn=trail.log_group_arn(seed.SERVICE_LOG_GROUP),
        trail_log_group_arn=trail.log_group_arn(seed.TRAIL_LOG_GROUP),
        barred_identities=seed.BARRED_IDENTITIES,
    )
