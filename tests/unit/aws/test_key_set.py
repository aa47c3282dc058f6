"""The pool's keys: looked up again when needed, kept through outages, never traded for nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from service.aws.key_set import COOL_DOWN, FIRST_COOL_DOWN, LIFETIME, KeySet
from service.errors import Unauthenticated, Unavailable

# The key pair that moto, the Cognito of local stacks, carries in its package: a stranger has both halves.
PUBLISHED = Path(__file__).parent / "data" / "published-key-set.json"
START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
A_MOMENT = timedelta(seconds=1)


@cache
def private(kid: str) -> rsa.RSAPrivateKey:
    """A key pair, made once for each id."""
    assert kid
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def entry(kid: str, **changed: Any) -> dict[str, Any]:
    """A key as Cognito publishes it."""
    jwk = RSAAlgorithm.to_jwk(private(kid).public_key(), as_dict=True)
    return {**jwk, "kid": kid, "use": "sig", "alg": "RS256", **changed}


def published(*entries: dict[str, Any]) -> bytes:
    """A key set."""
    return msgspec.json.encode({"keys": list(entries)})


class Pool:
    """An identity provider that answers as it is told, and a clock."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.now = START
        self.asked = 0

    def fetch(self) -> bytes:
        """The next answer; the last one again and again."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def keys(self) -> KeySet:
        """A key set that has nothing yet."""
        return KeySet(self.fetch, lambda: self.now)


def knows(keys: KeySet, kid: str) -> bool:
    """Whether the key set has the true key of that id."""
    try:
        return keys.key(kid).public_numbers() == private(kid).public_key().public_numbers()
    except Unauthenticated:
        return False


def test_a_key_is_fetched_once_and_kept() -> None:
    """Every token costs a look into memory, not a request."""
    pool = Pool(published(entry("a"), entry("b")))
    keys = pool.keys()
    assert [knows(keys, kid) for kid in ("a", "b", "a")] == [True] * 3
    assert pool.asked == 1


@pytest.mark.parametrize("kid", [None, ""])
def test_a_token_that_names_no_key_costs_no_request(kid: str | None) -> None:
    """It is refused at once."""
    pool = Pool(published(entry("a")))
    with pytest.raises(Unauthenticated, match="names no key"):
        pool.keys().key(kid)
    assert pool.asked == 0


def test_a_rotated_key_is_found_without_a_restart() -> None:
    """An unknown id is a reason to look again, once the cool-down is over."""
    pool = Pool(published(entry("a")), published(entry("a"), entry("b")))
    keys = pool.keys()
    assert knows(keys, "a")
    pool.now += COOL_DOWN
    assert [knows(keys, "b"), knows(keys, "a")] == [True, True]
    assert pool.asked == 2


def test_invented_ids_cause_one_request_a_cool_down() -> None:
    """Anybody can invent key ids; that must not become a flood at the identity provider."""
    pool = Pool(published(entry("a")))
    keys = pool.keys()
    assert not any(knows(keys, f"invented-{number}") for number in range(20))
    assert pool.asked == 1
    pool.now += COOL_DOWN - A_MOMENT
    assert not knows(keys, "invented")
    assert pool.asked == 1
    pool.now += A_MOMENT
    assert [knows(keys, "invented"), knows(keys, "invented")] == [False, False]
    assert pool.asked == 2


def test_a_removed_key_is_forgotten_after_its_lifetime() -> None:
    """A revoked key does not verify for ever."""
    pool = Pool(published(entry("a")), published(entry("b")))
    keys = pool.keys()
    assert knows(keys, "a")
    pool.now += LIFETIME
    assert knows(keys, "a")
    pool.now += A_MOMENT
    assert [knows(keys, "a"), knows(keys, "b")] == [False, True]


OUTAGES = [
    OSError("no route"),
    TimeoutError(),
    urllib3.exceptions.ProtocolError("broken off"),
    urllib3.exceptions.MaxRetryError(urllib3.HTTPConnectionPool("idp"), "/"),
]
BROKEN = [
    b"",
    b"<html>",
    b"[]",
    b"{}",
    b'{"keys": []}',
    b'{"keys": {}}',
    b'{"keys": [1]}',
    b'{"keys": [{}]}',
    b'{"keys": null}',
    b'{"keys": [{"kty": "RSA", "kid": "a", "n": "!", "e": "AQAB"}]}',
    b'{"keys": [{"kty": "RSA", "kid": "a", "n": 5, "e": null}]}',
    b'{"keys": [{"kty": "RSA", "kid": ["a"], "n": "AQAB", "e": "AQAB"}]}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("answer", [*OUTAGES, *BROKEN], ids=repr)
def test_what_is_no_key_set_never_replaces_one(answer: bytes | Exception) -> None:
    """Through an outage, an empty or a broken answer, the keys we had keep verifying, old as they are."""
    pool = Pool(published(entry("a")), answer)
    keys = pool.keys()
    assert knows(keys, "a")
    pool.now += LIFETIME * 100
    assert [knows(keys, "a"), knows(keys, "unknown")] == [True, False]
    assert pool.asked == 2


@pytest.mark.parametrize("answer", [*OUTAGES, *BROKEN], ids=repr)
def test_without_any_keys_nobody_is_told_that_a_token_is_wrong(answer: bytes | Exception) -> None:
    """That is our outage (503), not the caller's mistake (401); it ends when the provider is back."""
    pool = Pool(answer, published(entry("a")))
    keys = pool.keys()
    with pytest.raises(Unavailable):
        keys.key("a")
    with pytest.raises(Unavailable):
        keys.require()
    assert pool.asked == 1
    pool.now += COOL_DOWN
    keys.require()
    assert knows(keys, "a")


def test_without_any_keys_the_provider_is_asked_again_soon() -> None:
    """Nobody can be served without them: to start before the provider costs seconds, not the cool-down."""
    pool = Pool(OSError("not there yet"), published(entry("a")))
    keys = pool.keys()
    with pytest.raises(Unavailable):
        keys.require()
    pool.now += FIRST_COOL_DOWN - A_MOMENT
    with pytest.raises(Unavailable):
        keys.require()
    assert pool.asked == 1
    pool.now += A_MOMENT
    keys.require()
    assert (pool.asked, knows(keys, "a"), knows(keys, "invented")) == (2, True, False)
    assert pool.asked == 2


def test_being_ready_costs_no_request_once_there_are_keys() -> None:
    """A probe a second is no load for the identity provider."""
    pool = Pool(published(entry("a")))
    keys = pool.keys()
    for _ in range(3):
        keys.require()
    assert pool.asked == 1


@pytest.mark.parametrize("kid", ["dummy", "innocent"])
def test_a_key_whose_private_half_is_published_is_refused(kid: str) -> None:
    """Under whatever id, and beside good keys: a token signed by it proves nothing."""
    leaked = msgspec.json.decode(PUBLISHED.read_bytes())["keys"][0]
    keys = Pool(published({**leaked, "kid": kid}, entry("a"))).keys()
    assert knows(keys, "a")
    with pytest.raises(Unauthenticated, match="unknown key"):
        keys.key(kid)


def test_a_key_set_of_published_keys_is_no_key_set() -> None:
    """Started against a pool that signs with such a key, the service never becomes ready."""
    with pytest.raises(Unavailable):
        Pool(PUBLISHED.read_bytes()).keys().require()


def elliptic() -> dict[str, Any]:
    """A key of another kind."""
    jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    return {**jwk, "kid": "other"}


@pytest.mark.parametrize(
    "other",
    [
        entry("other", use="enc"),
        entry("other", kty="oct", k="c2VjcmV0"),
        {**RSAAlgorithm.to_jwk(private("other"), as_dict=True), "kid": "other"},
        elliptic(),
        {name: value for name, value in entry("other").items() if name != "n"},
    ],
    ids=["for-encryption", "symmetric", "private", "elliptic", "incomplete"],
)
def test_keys_that_cannot_verify_rs256_are_left_out(other: dict[str, Any]) -> None:
    """Only public RSA keys for signatures count, and one odd key does not spoil the others."""
    keys = Pool(published(other, entry("a"))).keys()
    assert [knows(keys, "a"), knows(keys, "other")] == [True, False]


def test_many_threads_at_once_cause_one_request() -> None:
    """Whoever comes while the first key set is fetched waits for it and finds its key."""
    fetching, answered, asked = threading.Event(), threading.Event(), []

    def fetch() -> bytes:
        asked.append(1)
        fetching.set()
        assert answered.wait(5)
        return published(entry("a"))

    keys = KeySet(fetch, lambda: START)
    known: list[bool] = []
    threads = [threading.Thread(target=lambda: known.append(knows(keys, "a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert fetching.wait(5)
    answered.set()
    for thread in threads:
        thread.join(5)
    assert (known, asked) == ([True] * 8, [1])


def test_nobody_with_a_known_key_waits_for_a_slow_provider() -> None:
    """While one thread asks again for a key set grown old, the others go on with the keys there are."""
    pool, fetching, answered = Pool(published(entry("a"))), threading.Event(), threading.Event()
    slow = False

    def fetch() -> bytes:
        if slow:
            fetching.set()
            assert answered.wait(5)
        return pool.fetch()

    keys = KeySet(fetch, lambda: pool.now)
    assert knows(keys, "a")
    slow, pool.now = True, pool.now + LIFETIME * 2
    first = threading.Thread(target=keys.key, args=("a",))
    first.start()
    assert fetching.wait(5)
    others: list[bool] = []
    second = threading.Thread(target=lambda: others.append(knows(keys, "a")))
    second.start()
    second.join(2)
    in_time = list(others)
    answered.set()
    first.join(5)
    second.join(5)
    assert in_time == [True]
