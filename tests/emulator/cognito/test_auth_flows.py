"""Which sign-ins an app client allows."""

from __future__ import annotations

import pytest
from smas_emulator.cognito.auth_flows import allows


@pytest.mark.parametrize(
    ("configured", "flow", "allowed"),
    [
        (["ALLOW_USER_PASSWORD_AUTH"], "USER_PASSWORD_AUTH", True),
        (["ALLOW_USER_PASSWORD_AUTH"], "USER_SRP_AUTH", False),
        (["ALLOW_REFRESH_TOKEN_AUTH"], "REFRESH_TOKEN", True),
        (["ALLOW_REFRESH_TOKEN_AUTH"], "USER_PASSWORD_AUTH", False),
        (None, "USER_SRP_AUTH", True),
        ([], "USER_PASSWORD_AUTH", False),
        (["ALLOW_USER_PASSWORD_AUTH"], "NO_SUCH_FLOW", False),
    ],
)
def test_a_client_signs_in_only_as_it_is_configured(
    configured: list[str] | None, flow: str, allowed: bool
) -> None:
    """A flow that the client does not list is refused; one without a list has Cognito's defaults."""
    assert allows(configured, flow) is allowed
