"""What a client does when the store says "not now" or "not with this": tokens, Retry-After, many tries."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from smas.errors import NotSignedIn, Unavailable
from smas.http import HttpClient
from smas.identity.credentials import SignIn
from smas.retries import RetryPolicy, Stop
from smas.session import Places, open_session
from smas.store import Store

from tests.client.site.answers import gateway_answer, problem_answer
from tests.client.site.fixtures import SOON, M, contents_of
from tests.client.site.user_pool import MACHINE_SECRET, POOL_URL
from tests.web.conftest import MACHINE, PEOPLE, PUBLIC_URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.site.fixtures import Stores
    from tests.client.site.user_pool import UserPool
    from tests.client.site.wire import WsgiTransport


class Noted(threading.Event):
    """Waits for nobody, and remembers how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Note the time."""
        self.seconds.append(timeout)
        return self.is_set()


def signed_in(wire: WsgiTransport, people: UserPool, folder: Path) -> Store:
    """A store as `smas login` leaves it for ds-fraud."""
    access = people.access_token("ds-fraud")
    kept = SignIn(access, people.refresh_token("ds-fraud"), POOL_URL, PEOPLE, "ds-fraud")
    Places(folder / "config", folder / "cache").credentials.keep(PUBLIC_URL, kept, make_current=True)
    return Store(transport=wire, retries=SOON)


@pytest.mark.parametrize("when", ["/uploads", "/versions", "/versions/1", "/aliases/champion"])
def test_a_push_renews_a_token_that_ends_meanwhile(
    wire: WsgiTransport, people: UserPool, folders: Path, files: Path, when: str
) -> None:
    """A 401 anywhere costs one renewal and one repetition; the push goes on and nobody is asked anything."""
    store = signed_in(wire, people, folders)
    old = store.token()
    ended = threading.Event()

    def end_the_token(request: object) -> object:
        ended.set()
        wire.refused.add(old)
        return wire.carry_out(request)  # type: ignore[arg-type]

    method = {"/uploads": "POST", "/versions": "POST", "/versions/1": "GET"}.get(when, "PUT")
    wire.instead(method, f"{M}{when}", end_the_token)  # type: ignore[arg-type]
    pushed = store.push(files, M, alias="champion")
    assert ended.is_set()
    assert pushed.version.state == "available"
    assert people.asked == ["InitiateAuth REFRESH_TOKEN_AUTH"]
    assert store.token() != old
    assert [version.version for version in store.versions(M)] == [1]


def test_a_pull_renews_a_token_that_ends_meanwhile(
    wire: WsgiTransport, people: UserPool, folders: Path, files: Path
) -> None:
    """The same for pulls."""
    store = signed_in(wire, people, folders)
    store.push(files, M)
    wire.refused.add(store.token())
    store.pull(M, folders / "in")
    assert people.asked == ["InitiateAuth REFRESH_TOKEN_AUTH"]
    assert contents_of(folders / "in") == contents_of(files)


def test_many_threads_renew_once(wire: WsgiTransport, people: UserPool, folders: Path) -> None:
    """Threads whose token was refused at the same time share the renewal of the first of them."""
    store = signed_in(wire, people, folders)
    wire.refused.add(store.token())
    with ThreadPoolExecutor(8) as threads:
        names = {who.username for who in threads.map(lambda _: store.whoami(), range(16))}
    assert names == {"ds-fraud"}
    assert people.asked == ["InitiateAuth REFRESH_TOKEN_AUTH"]


def test_a_store_that_refuses_every_token_is_asked_twice(
    wire: WsgiTransport, people: UserPool, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh token that is refused too ends it, for people and for machines: no loop of renewals."""
    person = signed_in(wire, people, folders)
    wire.instead("GET", "/v1/whoami", lambda _: problem_answer(401, "unauthenticated"), times=50)
    with pytest.raises(NotSignedIn):
        person.whoami()
    monkeypatch.setenv("SMAS_CLIENT_ID", MACHINE)
    monkeypatch.setenv("SMAS_CLIENT_SECRET", MACHINE_SECRET)
    machine = Store(PUBLIC_URL, transport=wire, retries=SOON)
    with pytest.raises(NotSignedIn):
        machine.whoami()
    assert len(wire.requests("GET", "/v1/whoami")) == 4
    assert people.asked == ["InitiateAuth REFRESH_TOKEN_AUTH", "token", "token"]


def test_a_sign_in_that_has_ended_says_so(wire: WsgiTransport, people: UserPool, folders: Path) -> None:
    """When the refresh token is good no more, the error says to sign in again, and where."""
    store = signed_in(wire, people, folders)
    wire.refused.add(store.token())
    people.refresh_tokens.clear()
    with pytest.raises(NotSignedIn, match="has ended") as told:
        store.whoami()
    assert told.value.hint == f"smas login {PUBLIC_URL}"


def test_machines_sign_in_by_themselves(
    wire: WsgiTransport, people: UserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client id and secret in the environment are enough; the token is fetched once and used again."""
    monkeypatch.setenv("SMAS_STORE", PUBLIC_URL)
    monkeypatch.setenv("SMAS_CLIENT_ID", MACHINE)
    monkeypatch.setenv("SMAS_CLIENT_SECRET", MACHINE_SECRET)
    store = Store(transport=wire)
    assert [store.whoami().client_id for _ in range(3)] == [MACHINE] * 3
    assert people.asked == ["token"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("answer", [problem_answer, gateway_answer])
def test_retry_after_is_honoured(wire: WsgiTransport, stores: Stores, status: int, answer: object) -> None:
    """The store's own time to wait wins over the client's, whoever wrote the body, and has its limit."""
    for seconds in ("7", "0", "100000"):
        made = (
            problem_answer(status, "throttled", Retry_After=seconds)
            if answer is problem_answer
            else gateway_answer(status, Retry_After=seconds)
        )
        wire.instead("GET", "/v1/whoami", lambda _, made=made: made)  # type: ignore[misc]
    noted = Noted()
    session = open_session(PUBLIC_URL, token=stores.of("ds-fraud").token(), transport=wire)
    assert session.api(Stop(noted)).whoami().username == "ds-fraud"
    assert noted.seconds == [7.0, 0.0, 60.0]


def test_pauses_grow_and_end(wire: WsgiTransport) -> None:
    """Without Retry-After pauses are random, each from a longer span up to the longest, and tries end."""
    wire.drop("GET", "/v1/models", times=1000)
    noted = Noted()
    policy = RetryPolicy(attempts=12, first_seconds=0.25, longest_seconds=20)
    http = HttpClient(wire, policy, Stop(noted))
    with pytest.raises(Unavailable):
        http.ask("GET", f"{PUBLIC_URL}/v1/models", {})
    assert len(wire.sent) == 12
    ceilings = [0.25, 0.5, 1, 2, 4, 8, 16, 20, 20, 20, 20]
    assert len(noted.seconds) == len(ceilings)
    assert all(0 <= (s or 0) <= most for s, most in zip(noted.seconds, ceilings, strict=True))
    assert len(set(noted.seconds)) > 1


def test_the_last_answer_is_told_when_all_tries_failed(wire: WsgiTransport, stores: Stores) -> None:
    """A store that keeps failing is unavailable, with the code and request id it gave last."""
    wire.instead("GET", "/v1/whoami", lambda _: problem_answer(503, "storage_unavailable"), times=100)
    with pytest.raises(Unavailable) as told:
        stores.of("ds-fraud").whoami()
    assert (told.value.code, told.value.request_id) == (
        "storage_unavailable",
        "request-of-storage_unavailable",
    )
    assert len(wire.sent) == SOON.attempts


def test_what_another_try_would_not_cure_is_asked_once(wire: WsgiTransport, stores: Stores) -> None:
    """Refusals are answers, not failures."""
    for status, code in ((403, "forbidden"), (404, "not_found"), (409, "conflict"), (422, "invalid")):
        wire.sent.clear()
        wire.instead("GET", "/v1/whoami", lambda _, s=status, c=code: problem_answer(s, c))  # type: ignore[misc]
        with pytest.raises(Exception, match=f"the detail of {code}"):
            stores.of("ds-fraud").whoami()
        assert len(wire.sent) == 1
