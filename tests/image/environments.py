"""What Lambda would put into a function's environment, for a function over the local AWS."""

from __future__ import annotations

import configparser
import os
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from tests.local_aws import LocalStack

# Each function by its name in `service.lambda_handler`, and the profile of its role.
PROFILES: Final = {"api": "smas-service", "verifier": "smas-worker"}


def of_function(stack: LocalStack, function: str) -> dict[str, str]:
    """Settings, and the role's credentials as variables: a function has no profile and no home."""
    own = dict(stack.environment)
    keys, profiles = configparser.ConfigParser(), configparser.ConfigParser()
    keys.read(own.pop("AWS_SHARED_CREDENTIALS_FILE"))
    profiles.read(own.pop("AWS_CONFIG_FILE"))
    profile = profiles[f"profile {PROFILES[function]}"]
    source = keys[profile["source_profile"]]
    sts = boto3.client(
        "sts",
        endpoint_url=stack.endpoint,
        region_name=own["AWS_REGION"],
        aws_access_key_id=source["aws_access_key_id"],
        aws_secret_access_key=source["aws_secret_access_key"],
        config=Config(proxies={}),
    )
    session = sts.assume_role(RoleArn=profile["role_arn"], RoleSessionName="smas")["Credentials"]
    return {
        **own,
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": os.environ["PATH"],
    }
