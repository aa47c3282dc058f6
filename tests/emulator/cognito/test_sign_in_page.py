"""What the pages are made of."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from tests.emulator.cognito.doubles import PEOPLE, Browser, Form, asking


def pages() -> list[str]:
    """Each page, in each of its states."""
    browser = Browser()
    first = browser.show(asking())
    wrong = browser.send(first, username="ada", password="wrong")
    new = browser.send(first, username="new", password="temporary")
    refused = browser.send(new, new_password="x", repeated_password="x")
    return [page.content for page in (first, wrong, new, refused)]


@pytest.mark.parametrize("page", pages())
def test_every_field_has_a_label_and_the_page_a_language(page: str) -> None:
    """Whoever can't see the page hears what each field is for, and what went wrong."""
    form = Form(page)
    visible = {name for name, given in form.attributes.items() if given.get("type") != "hidden"}
    assert form.labelled == visible
    assert '<html lang="en">' in page
    assert '<meta name="viewport"' in page
    assert page.count("autofocus") == 1
    assert ('aria-invalid="true"' in page) is ('role="alert"' in page)
    assert all(given.get("autocomplete") for name, given in form.attributes.items() if name in visible)


@pytest.mark.parametrize("page", pages())
def test_nothing_comes_from_elsewhere_and_nothing_runs(page: str) -> None:
    """No script, no image, no link, no address but the form's own."""
    form = Form(page)
    assert not form.tags & {"script", "link", "img", "iframe", "a"}
    assert not re.search(r"\bon[a-z]+=|style=|url\(|@import", page)
    assert (form.action or "").startswith("/login?")


def test_the_policy_allows_this_style_alone() -> None:
    """The hash is that of the style in the page."""
    answer = Browser().show(asking())
    style = re.search(r"<style>(.*?)</style>", answer.content, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.policy
    assert "unsafe" not in answer.policy


@pytest.mark.parametrize(
    ("redirect_uri", "targets"),
    [
        (PEOPLE.callback_urls[0], "'self' http://127.0.0.1:18390"),
        (PEOPLE.callback_urls[1], "'self' https://app.example"),
        (PEOPLE.callback_urls[2], "'self' myapp:"),
    ],
)
def test_the_form_leads_to_us_and_to_the_app_alone(redirect_uri: str, targets: str) -> None:
    """Browsers hold the redirect after the form against the policy as well."""
    answer = Browser().show(asking(redirect_uri=redirect_uri))
    assert f"; form-action {targets}; " in answer.policy


def test_a_page_without_a_form_lets_none_be_sent() -> None:
    """An error has nowhere to lead to."""
    assert "form-action 'none'" in Browser().show("client_id=stranger").policy
