"""Which ways of signing in an app client allows (`ExplicitAuthFlows` of Cognito's CreateUserPoolClient)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# "If you don't specify a value for ExplicitAuthFlows, your app client supports" these (API reference,
# CreateUserPoolClient).
DEFAULT_FLOWS = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")

_NAMES_OF_A_FLOW = {
    "REFRESH_TOKEN": ("ALLOW_REFRESH_TOKEN_AUTH",),
    "REFRESH_TOKEN_AUTH": ("ALLOW_REFRESH_TOKEN_AUTH",),
    "USER_PASSWORD_AUTH": ("ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"),
    "USER_SRP_AUTH": ("ALLOW_USER_SRP_AUTH",),
    "CUSTOM_AUTH": ("ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"),
    "ADMIN_USER_PASSWORD_AUTH": ("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"),
    "ADMIN_NO_SRP_AUTH": ("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"),
}


def allows(configured: Collection[str] | None, flow: str) -> bool:
    """Whether a client with these `ExplicitAuthFlows` may use `flow` (the `AuthFlow` of InitiateAuth)."""
    return not set(configured or DEFAULT_FLOWS).isdisjoint(_NAMES_OF_A_FLOW.get(flow, ()))
