"""How far a store carries: what people ask of each AWS service in the busiest second, and its quota.

The people are those of `usage.py`. All of them work on the same day; a quarter of the day's work falls into
its busiest hour, and the busiest second of that hour has three times its mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from docs.sources import usage
from docs.sources.tables import amount, table

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE: Final = (1_000, 40_000)
BUSIEST_HOUR: Final = 0.25
BUSIEST_SECOND: Final = 3
HOUR_SECONDS: Final = 3600
# Calls to KMS for one to S3, with bucket keys.
KEY_CALLS: Final = 0.01
# The function that decides on groups runs for a token that is made.
TOKEN_SECONDS: Final = 0.1
# Serving processes that start at once, and in how many seconds they have all asked.
FLEET: Final = 1_000
FLEET_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Load:
    """What so many active people ask for in their busiest second."""

    people: int

    def _busiest(self, a_day: float) -> float:
        return self.people * a_day * BUSIEST_HOUR / HOUR_SECONDS * BUSIEST_SECOND

    @property
    def requests(self) -> float:
        """Requests to the API."""
        return self._busiest(usage.day_of_a_person().requests)

    @property
    def under_way(self) -> float:
        """Requests at once: their rate times how long one takes."""
        return self.requests * usage.REQUEST_SECONDS

    @property
    def pushes(self) -> float:
        """Versions published."""
        return self._busiest(usage.PUSHES_A_DAY)

    @property
    def verifying(self) -> float:
        """Verifiers at work at once, in the mean of the busiest hour: the queue evens out seconds."""
        return self.pushes / BUSIEST_SECOND * usage.push_seconds()

    @property
    def functions(self) -> float:
        """Functions that run at once."""
        return self.under_way + self.verifying + self.tokens_made

    @property
    def writes(self) -> float:
        """Writes and lists of S3, on all prefixes together."""
        return self._busiest(usage.day_of_a_person().writes)

    @property
    def reads(self) -> float:
        """Reads of S3, on all prefixes together."""
        return self._busiest(usage.day_of_a_person().reads)

    @property
    def keys(self) -> float:
        """Calls to KMS with symmetric keys."""
        return (self.writes + self.reads) * KEY_CALLS

    @property
    def sign_ins(self) -> float:
        """People who sign in, all of them within one hour of the morning."""
        return self.people / HOUR_SECONDS * BUSIEST_SECOND

    @property
    def authentications(self) -> float:
        """Sign-ins, and as many renewals: a token lives for an hour."""
        return 2 * self.sign_ins

    @property
    def tokens_made(self) -> float:
        """Runs at once of the function that decides on groups."""
        return self.authentications * TOKEN_SECONDS

    @property
    def events_a_month(self) -> float:
        """Data events of CloudTrail's."""
        return self.people * usage.WORKING_DAYS * usage.day_of_a_person().events


@dataclass(frozen=True, slots=True)
class Limit:
    """What a service allows an account that nobody has raised yet, and what of it is asked for."""

    what: str
    page: str
    allowed: float
    raised: str
    asked: Callable[[Load], float]
    how: str


_AWS: Final = "https://docs.aws.amazon.com"
_KMS: Final = f"{_AWS}/kms/latest/developerguide/requests-per-second.html"
_S3: Final = f"{_AWS}/AmazonS3/latest/userguide/optimizing-performance.html"
_COGNITO: Final = f"{_AWS}/cognito/latest/developerguide/quotas.html"

LIMITS: Final = (
    Limit(
        "Lambda, functions at once",
        f"{_AWS}/lambda/latest/dg/gettingstarted-limits.html",
        1_000,
        "Service Quotas, L-B99A9384; **10 in a new account**",
        lambda load: load.functions,
        f"requests × {usage.REQUEST_SECONDS} s, pushes × {usage.push_seconds():.1f} s, "
        f"tokens × {TOKEN_SECONDS} s",
    ),
    Limit(
        "API Gateway, requests",
        f"{_AWS}/apigateway/latest/developerguide/limits.html",
        10_000,
        "Service Quotas, L-8A5B8E43",
        lambda load: load.requests,
        f"{usage.day_of_a_person().requests} a person and day",
    ),
    Limit(
        "STS, AssumeRole",
        f"{_AWS}/IAM/latest/UserGuide/reference_iam-quotas.html",
        600,
        "AWS Support",
        lambda load: load.requests,
        "at most one a request: each environment of the function keeps sessions of its own",
    ),
    Limit(
        "Cognito, UserAuthentication",
        _COGNITO,
        120,
        "Service Quotas, at a price",
        lambda load: load.authentications,
        "everybody signs in within an hour, and renews each hour",
    ),
    Limit(
        "Cognito, UserFederation",
        _COGNITO,
        25,
        "Service Quotas, at a price",
        lambda load: load.sign_ins,
        "the same, where all come from an identity provider",
    ),
    Limit(
        "S3, writes to a prefix",
        _S3,
        3_500,
        "S3 splits by itself, within minutes",
        lambda load: load.writes,
        f"{usage.day_of_a_person().writes} a person and day, were all of them on one prefix",
    ),
    Limit(
        "S3, reads of a prefix",
        _S3,
        5_500,
        "the same",
        lambda load: load.reads,
        f"{usage.day_of_a_person().reads} a person and day, were all of them on one prefix",
    ),
    Limit(
        "KMS, symmetric keys",
        _KMS,
        10_000,
        "Service Quotas",
        lambda load: load.keys,
        "one in a hundred calls to S3, by bucket keys (assumed)",
    ),
    Limit("KMS, signatures", _KMS, 1_000, "Service Quotas", lambda load: load.pushes, "one a version"),
)


def limits() -> str:
    """What is asked for, beside what is allowed."""
    loads = [Load(people) for people in PEOPLE]
    rows = [
        (
            f"[{limit.what}]({limit.page})",
            *(_share(limit.asked(load), limit.allowed) for load in loads),
            f"{limit.allowed:,.0f}",
            limit.raised,
            limit.how,
        )
        for limit in LIMITS
    ]
    heads = ("in the busiest second", *_people(), "allowed", "raised by", "how")
    return table(heads, rows)


def own_limits() -> str:
    """What the store's own ceilings must be for it."""
    loads = [Load(people) for people in PEOPLE]
    rows: list[tuple[str, str, Callable[[Load], float]]] = [
        ("`capacity.requests_per_second`", "200", lambda load: load.requests),
        ("`capacity.concurrency`", "50", lambda load: load.under_way),
        ("`capacity.verifications`", "10", lambda load: load.verifying),
        ("the function token-groups, fixed", "10", lambda load: load.tokens_made),
    ]
    return table(
        ("ceiling", "as it comes", *_people()),
        [(name, given, *(amount(asked(load)) for load in loads)) for name, given, asked in rows],
    )


def records() -> str:
    """What the trail takes in."""
    months = [Load(people).events_a_month for people in PEOPLE]
    return table(
        ("a month", *_people()),
        [
            ("data events", *(f"{events / 1e6:,.0f} million" for events in months)),
            (
                "of them in the log group",
                *(f"{events * usage.RECORD / usage.GIB:,.0f} GB" for events in months),
            ),
            (
                "in the trail's bucket, packed",
                *(f"{events * usage.PACKED_RECORD / usage.GIB:,.0f} GB" for events in months),
            ),
        ],
    )


def fleet() -> tuple[float, float]:
    """Requests and reads a second of serving processes that start at once and fetch the same version."""
    return FLEET * usage.PULL.requests / FLEET_SECONDS, FLEET * usage.PULL.reads / FLEET_SECONDS


def _people() -> tuple[str, ...]:
    return tuple(f"{people:,} people" for people in PEOPLE)


def _share(asked: float, allowed: float) -> str:
    share = asked / allowed
    words = f"{amount(asked)} ({share:.0%})" if share >= 0.01 else amount(asked)  # noqa: PLR2004 - a hundredth
    return f"**{words}**" if share > 1 else words
