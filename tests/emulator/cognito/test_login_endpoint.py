"""The pages, walked by a browser that keeps cookies."""

from __future__ import annotations

import re

import pytest
from smas_emulator.cognito.forms import MOST_CHARACTERS
from smas_emulator.cognito.second_factor import STEP_SECONDS, SecondFactor, one_time_code

from tests.emulator.cognito.doubles import (
    CALLBACK,
    CHALLENGE,
    ELSEWHERE,
    PEOPLE,
    Browser,
    Form,
    asking,
    sent_back,
)


@pytest.fixture
def browser() -> Browser:
    """A browser that nobody has signed in with."""
    return Browser()


def sign_in(browser: Browser, query: str | None = None) -> dict[str, str]:
    """Sign ada in; what the app gets."""
    return sent_back(browser.send(browser.show(query or asking()), username="ada", password="right"))


def test_somebody_unknown_is_sent_to_the_form_with_all_that_was_asked(browser: Browser) -> None:
    """`/oauth2/authorize` passes its parameters on."""
    answer = browser.authorize(asking())
    assert (answer.status, answer.location) == (302, f"/login?{asking()}")


def test_the_right_password_leads_back_with_a_code(browser: Browser) -> None:
    """The code stands for what was asked, and the state comes back."""
    back = sign_in(browser)
    assert set(back) == {"code", "state"}
    assert back["state"] == "st&te="
    grant = browser.codes.redeem(back["code"])
    assert grant is not None
    assert (grant.client_id, grant.redirect_uri, grant.username) == (PEOPLE.id, CALLBACK, "ada")
    assert (grant.scopes, grant.nonce, grant.code_challenge) == (("openid", "profile"), "n0nce", CHALLENGE)
    assert grant.auth_time == int(browser.clock.time.timestamp())


def test_no_code_is_given_twice(browser: Browser) -> None:
    """Each sign-in has one of its own."""
    codes = {sign_in(browser)["code"] for _ in range(5)}
    assert len(codes) == 5


@pytest.mark.parametrize(("username", "password"), [("ada", "wrong"), ("stranger", "right"), ("", "")])
def test_a_wrong_password_and_an_unknown_user_are_told_alike(
    browser: Browser, username: str, password: str
) -> None:
    """Nobody learns whether a user exists; the name stays, the password does not, and a retry works."""
    again = browser.send(browser.show(asking()), username=username, password=password)
    form = Form(again.content)
    assert again.status == 400
    assert "Incorrect username or password." in form.text
    assert (form.fields["username"], form.fields["password"]) == (username, "")
    assert "wrong" not in again.content
    assert not [name for name in browser.cookies if name.startswith("cognito")]
    assert "code" in sent_back(browser.send(again, username=" ada ", password="right"))


def test_what_was_typed_is_no_markup(browser: Browser) -> None:
    """Neither a name nor a query breaks out of the page."""
    evil = '"><script>alert(1)</script>'
    again = browser.send(browser.show(asking(state=evil)), username=evil, password="x")
    assert "<script" not in again.content
    assert Form(again.content).fields["username"] == evil
    assert "&lt;People&gt;" in again.content
    assert sent_back(browser.send(again, username="ada", password="right"))["state"] == evil


def test_somebody_who_may_not_sign_in_gets_no_code(browser: Browser) -> None:
    """The reason is told to whoever knows the password."""
    again = browser.send(browser.show(asking()), username="gone", password="right")
    assert again.status == 400
    assert "disabled" in again.content


def test_a_remembered_browser_is_not_asked_again(browser: Browser) -> None:
    """For an hour, with the time of the password; a second later it is."""
    began = int(browser.clock.time.timestamp())
    sign_in(browser)
    browser.clock.move(minutes=59, seconds=59)
    grant = browser.codes.redeem(sent_back(browser.authorize(asking()))["code"])
    assert grant is not None
    assert grant.auth_time == began
    browser.clock.move(seconds=1)
    assert browser.authorize(asking()).location == f"/login?{asking()}"


@pytest.mark.parametrize("prompt", ["login", "select_account"])
def test_the_app_can_have_it_asked_again(browser: Browser, prompt: str) -> None:
    """`prompt` forces the form."""
    sign_in(browser)
    query = asking(prompt=prompt)
    assert browser.authorize(query).location == f"/login?{query}"
    assert "code" in sign_in(browser, query)


def test_nobody_is_asked_where_the_app_wants_no_page(browser: Browser) -> None:
    """`prompt=none` gives a code or `login_required`, never a page."""
    query = asking(prompt="none")
    assert sent_back(browser.authorize(query)) == {"error": "login_required", "state": "st&te="}
    sign_in(browser)
    assert "code" in sent_back(browser.authorize(query))


def test_a_sign_in_counts_in_its_own_pool_alone(browser: Browser) -> None:
    """Another pool's client asks, even if the browser sends it the other pool's secret."""
    sign_in(browser)
    query = asking(client_id=ELSEWHERE.id, scope="openid")
    assert browser.authorize(query).location == f"/login?{query}"
    browser.cookies[f"cognito-{ELSEWHERE.pool_id}"] = browser.cookies[f"cognito-{PEOPLE.pool_id}"]
    assert browser.authorize(query).location == f"/login?{query}"


def test_whoever_is_disabled_meanwhile_is_asked_again(browser: Browser) -> None:
    """The browser's memory is not enough."""
    sign_in(browser)
    browser.pool.disabled.add("ada")
    assert browser.authorize(asking()).location == f"/login?{asking()}"


def test_each_sign_in_has_a_new_secret(browser: Browser) -> None:
    """One that somebody planted, or the last one, is good no more."""
    name = f"cognito-{PEOPLE.pool_id}"
    browser.cookies[name] = "planted"
    sign_in(browser)
    first = browser.cookies[name]
    sign_in(browser)
    assert len({first, browser.cookies[name], "planted"}) == 3
    browser.cookies[name] = first
    assert browser.authorize(asking()).location == f"/login?{asking()}"


def test_a_form_from_elsewhere_is_refused(browser: Browser) -> None:
    """Without the cookie, with another browser's token, or without one, nobody is signed in."""
    page = browser.show(asking())
    others = Browser(browser.pool, browser.clock)
    others.login = browser.login
    strange = Form(others.show(asking()).content).fields["_csrf"]
    for typed in ({"_csrf": strange}, {"_csrf": ""}, {"_csrf": "ä"}):
        refused = browser.send(page, username="ada", password="right", **typed)
        assert refused.status == 403
        assert refused.location is None
    browser.cookies.clear()
    refused = browser.send(page, username="ada", password="right")
    assert refused.status == 403
    assert "code" in sent_back(browser.send(refused, username="ada", password="right"))


def test_several_open_pages_work(browser: Browser) -> None:
    """A second page does not spoil the first."""
    first, second = browser.show(asking()), browser.show(asking())
    for page in (first, second):
        assert "code" in sent_back(browser.send(page, username="ada", password="right"))


def test_a_temporary_password_is_replaced(browser: Browser) -> None:
    """A second form asks for one's own, twice; then one is signed in, and the old one is good no more."""
    page = browser.send(browser.show(asking()), username="new", password="temporary")
    assert page.status == 200
    assert set(Form(page.content).fields) == {"_csrf", "challenge", "new_password", "repeated_password"}
    differing = browser.send(page, new_password="my own", repeated_password="my other")
    assert (differing.status, "not the same" in differing.content) == (400, True)
    short = browser.send(differing, new_password="own", repeated_password="own")
    assert (short.status, "At least 5 characters." in short.content) == (400, True)
    assert "own" not in Form(short.content).fields.values()
    back = sent_back(browser.send(short, new_password="my own", repeated_password="my own"))
    grant = browser.codes.redeem(back["code"])
    assert grant is not None
    assert grant.username == "new"
    assert browser.pool.passwords["new"] == "my own"


def test_a_password_is_replaced_once_in_time_and_where_it_was_asked_for(browser: Browser) -> None:
    """Not again, not by another browser, not for another client, and not after three minutes."""
    page = browser.send(browser.show(asking()), username="new", password="temporary")
    own = {"new_password": "my own", "repeated_password": "my own"}
    other = Browser(browser.pool, browser.clock)
    other.login = browser.login
    token = Form(other.show(asking()).content).fields["_csrf"]
    assert other.send(page, **own, _csrf=token).status == 403
    elsewhere = browser.show(asking(client_id=ELSEWHERE.id, scope="openid"))
    challenge = Form(page.content).fields["challenge"]
    assert browser.send(elsewhere, **own, challenge=challenge).status == 403
    browser.clock.move(minutes=3)
    assert browser.send(page, **own).status == 403
    assert browser.pool.passwords["new"] == "temporary"
    page = browser.send(browser.show(asking()), username="new", password="temporary")
    browser.clock.move(minutes=2, seconds=59)
    assert browser.send(page, **own).status == 302
    assert browser.send(page, **own).status == 403


def test_a_password_that_was_replaced_elsewhere_meanwhile_stays(browser: Browser) -> None:
    """Of two open forms only one counts."""
    pages = [browser.send(browser.show(asking()), username="new", password="temporary") for _ in range(2)]
    assert browser.send(pages[0], new_password="first one", repeated_password="first one").status == 302
    assert browser.send(pages[1], new_password="later one", repeated_password="later one").status == 403
    assert browser.pool.passwords["new"] == "first one"


def test_signing_out_makes_the_browser_forget(browser: Browser) -> None:
    """It goes on to a registered page, and the next sign-in asks; a planted cookie does not help."""
    sign_in(browser)
    name = f"cognito-{PEOPLE.pool_id}"
    secret = browser.cookies[name]
    answer = browser.logout("client_id=people&logout_uri=https%3A%2F%2Fapp.example%2Fbye")
    assert (answer.status, answer.location) == (302, "https://app.example/bye")
    assert name not in browser.cookies
    browser.cookies[name] = secret
    assert browser.authorize(asking()).location == f"/login?{asking()}"


def test_signing_out_can_lead_to_signing_in(browser: Browser) -> None:
    """With what a sign-in needs, the form comes next."""
    sign_in(browser)
    assert browser.logout(asking()).location == f"/login?{asking()}"
    assert browser.authorize(asking()).location == f"/login?{asking()}"


@pytest.mark.parametrize(
    "query",
    [
        "client_id=people",
        "logout_uri=https%3A%2F%2Fapp.example%2Fbye",
        "client_id=stranger&logout_uri=https%3A%2F%2Fapp.example%2Fbye",
        "client_id=people&logout_uri=https%3A%2F%2Fapp.example%2Fbye%2F",
        "client_id=people&logout_uri=https%3A%2F%2Fapp.example%2Fbye&logout_uri=https%3A%2F%2Fevil.example",
        "client_id=people&redirect_uri=https%3A%2F%2Fevil.example",
    ],
)
def test_signing_out_leads_nowhere_else(browser: Browser, query: str) -> None:
    """What is not registered is told on a page, and nobody is signed out."""
    sign_in(browser)
    answer = browser.logout(query)
    assert (answer.status, answer.location) == (400, None)
    assert "code" in sent_back(browser.authorize(asking()))


@pytest.mark.parametrize("endpoint", ["authorize", "show", "logout"])
def test_faults_are_answered_at_each_page(browser: Browser, endpoint: str) -> None:
    """On a page for a wrong client, at the client for everything else."""
    shown = getattr(browser, endpoint)(asking(client_id="stranger"))
    assert (shown.status, shown.location) == (400, None)
    assert "no such app client" in shown.content
    told = getattr(browser, endpoint)(asking(response_type="x"))
    assert sent_back(told)["error"] == "invalid_request"


def test_a_wrong_request_is_refused_when_the_form_is_sent_too(browser: Browser) -> None:
    """Whoever changes the form's address gets no code for it."""
    page = browser.show(asking())
    form = Form(page.content).fields | {"username": "ada", "password": "right"}
    for changed in ({"redirect_uri": "https://evil.example"}, {"client_id": "stranger"}):
        body = "&".join(f"{name}={value}" for name, value in form.items())
        answer = browser.login.submit(asking(**changed), body, browser.cookies)
        assert (answer.status, answer.location) == (400, None)


def test_a_form_that_is_too_long_or_says_a_thing_twice_is_refused(browser: Browser) -> None:
    """At the limit it is read, beyond it it is not."""
    browser.show(asking())
    at_limit = "x=" + "y" * (MOST_CHARACTERS - 2)
    assert browser.login.submit(asking(), at_limit, browser.cookies).status == 403
    for body in (at_limit + "y", "username=a&username=b"):
        assert browser.login.submit(asking(), body, browser.cookies).status == 400


def test_every_answer_is_kept_out_of_caches_and_frames(browser: Browser) -> None:
    """Pages, redirects and errors alike; and no cookie can be read by a script or sent by another site."""
    page = browser.show(asking())
    answers = [
        page,
        browser.authorize(asking()),
        browser.send(page, username="ada", password="right"),
        browser.show(asking(client_id="stranger")),
    ]
    for answer in answers:
        headers = dict(answer.headers)
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        for header in answer.cookies:
            assert re.fullmatch(r"[^;]+; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax", header)


def code_of(browser: Browser, factor: SecondFactor, apart: int = 0) -> str:
    """What ada's authenticator shows, or showed."""
    return one_time_code(factor.secret, int(browser.clock.time.timestamp()) // STEP_SECONDS + apart)


@pytest.fixture
def factor(browser: Browser) -> SecondFactor:
    """Ada's, not set up yet."""
    browser.pool.second_factors["ada"] = SecondFactor()
    return browser.pool.second_factors["ada"]


def test_a_second_factor_is_set_up_at_the_first_sign_in(browser: Browser, factor: SecondFactor) -> None:
    """The page shows its key until a first code was right, and no longer."""
    page = browser.send(browser.show(asking()), username="ada", password="right")
    assert factor.secret in page.content
    assert "code" in sent_back(browser.send(page, code=code_of(browser, factor)))
    browser.cookies.clear()
    browser.clock.move(seconds=STEP_SECONDS)
    page = browser.send(browser.show(asking()), username="ada", password="right")
    assert factor.secret not in page.content
    assert "code" in sent_back(browser.send(page, code=f" {code_of(browser, factor)} "))


def test_without_the_code_the_password_is_nothing(browser: Browser, factor: SecondFactor) -> None:
    """No cookie and no way past: not by a wrong code, not by the form for a new password, not without any."""
    for given in ({"code": code_of(browser, factor, -9)}, {"code": ""}, {"new_password": "another"}):
        page = browser.send(browser.show(asking()), username="ada", password="right")
        refused = browser.send(page, **given)
        assert (refused.status, refused.location) == (400, None)
        assert not [name for name in browser.cookies if name.startswith("cognito")]


def test_a_password_buys_one_try_at_the_code(browser: Browser, factor: SecondFactor) -> None:
    """After a wrong code, the right one at the same page is too late."""
    page = browser.send(browser.show(asking()), username="ada", password="right")
    browser.send(page, code="000000")
    late = browser.send(page, code=code_of(browser, factor))
    assert (late.status, late.location) == (403, None)


def test_a_temporary_password_is_replaced_before_the_code_is_asked(browser: Browser) -> None:
    """Both are owed, one after the other; a code is no answer to the first."""
    factor = browser.pool.second_factors["new"] = SecondFactor()
    page = browser.send(browser.show(asking()), username="new", password="temporary")
    assert "code" not in Form(page.content).fields
    asked = browser.send(page, new_password="longer", repeated_password="longer")
    assert factor.secret in asked.content
    assert "code" in sent_back(browser.send(asked, code=code_of(browser, factor)))


def test_a_remembered_browser_owes_no_code(browser: Browser, factor: SecondFactor) -> None:
    """Within the hour, as in Cognito."""
    page = browser.send(browser.show(asking()), username="ada", password="right")
    browser.send(page, code=code_of(browser, factor))
    assert "code" in sent_back(browser.authorize(asking()))
