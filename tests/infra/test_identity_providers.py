"""What Cognito writes down of an identity provider by itself is not taken away by the next plan."""

from __future__ import annotations

import re
from typing import Final

import pytest
from botocore.loaders import Loader

from tests.infra.rendering import TEMPLATES

COGNITO: Final = TEMPLATES.parent / "cognito.tf"


def details(kind: str) -> tuple[set[str], set[str]]:
    """The details that may be given of a provider, and those that Cognito answers, by AWS's own examples.

    https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html
    """
    model = Loader().load_service_model("cognito-idp", "service-2")
    page = model["shapes"]["CreateIdentityProviderRequest"]["members"]["ProviderDetails"]["documentation"]
    _, _, after = page.partition(f"<dt>{kind}</dt>")
    section, _, _ = after.partition("<dt>")
    asked, _, answered = section.partition("Describe response")
    return set(re.findall(r'"(\w+)" ?:', asked)), set(re.findall(r'"(\w+)" ?:', answered))


def ignored() -> set[str]:
    """The details that Terraform leaves as they are."""
    return set(re.findall(r'^ {6}provider_details\["(\w+)"\],$', COGNITO.read_text("utf-8"), re.MULTILINE))


def given() -> set[str]:
    """The details that `cognito.tf` gives, of either kind."""
    (body,) = re.findall(
        r"^  provider_details = (.*?)^  \}$", COGNITO.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return set(re.findall(r"^ {4}(\w+) += ", body, re.MULTILINE))


@pytest.mark.parametrize("kind", ["OpenID Connect (OIDC)", "SAML"])
def test_what_cognito_adds_is_left_as_it_is(kind: str) -> None:
    """Else each plan takes it away, and no second plan is empty."""
    asked, answered = details(kind)

    assert asked
    assert answered - asked
    assert answered - asked <= ignored()


def test_what_is_found_at_the_issuer_is_left_as_it_is() -> None:
    """Cognito looks for these where it is not told them, and it is not."""
    asked, _ = details("OpenID Connect (OIDC)")

    assert {name for name in asked if name.endswith(("_url", "_uri"))} <= ignored()


def test_what_is_given_is_never_ignored() -> None:
    """A new address of a provider, or a new secret, must reach the pool."""
    assert given() & ignored() == set()
    assert {"MetadataURL", "oidc_issuer", "client_id", "client_secret"} <= given()
