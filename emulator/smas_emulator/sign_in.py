"""Gets an access token for a local user, as any client would: from Cognito."""

from __future__ import annotations

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from smas_emulator import seed
from smas_emulator.errors import StackError
from smas_emulator.state import StateDirectory, read_stack


def access_token(state: StateDirectory, user: str) -> str:
    """Sign in with the local password and return the access token.

    Raises `StackError` when the stack does not run or refuses.
    """
    stack = read_stack(state)
    cognito = boto3.client(
        "cognito-idp",
        region_name=stack["region"],
        endpoint_url=stack["aws_endpoint"],
        # InitiateAuth takes no signature, and no proxy stands before this machine.
        config=Config(signature_version=UNSIGNED, proxies={}, connect_timeout=3, read_timeout=20),
    )
    try:
        answer = cognito.initiate_auth(
            ClientId=stack["people_client_id"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": seed.LOCAL_PASSWORD},
        )
    except (BotoCoreError, ClientError) as error:
        msg = f"No token: the local AWS at {stack['aws_endpoint']} did not give one ({error}); try `make up`."
        raise StackError(msg) from error
    return str(answer["AuthenticationResult"]["AccessToken"])
