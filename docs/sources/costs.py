"""What a store costs in a month, line by line: its size, the usage assumed (`usage.py`), AWS's prices.

`python -m docs.sources.costs --people 40 --terabytes 8` computes it for a size of your own.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from docs.sources import prices, usage
from docs.sources.tables import amount, dollars, table

if TYPE_CHECKING:
    from docs.sources.prices import Price
    from docs.sources.usage import Act

GB_OF_A_TB: Final = 1024

# What infra/ makes, whoever uses it; tests/docs/test_costs.py counts it there.
KEYS: Final = 6  # bytes, metadata, operations, signing, logs, state
REPLICA_KEYS: Final = 2
PLAIN_ALARMS: Final = 42
BAND_METRICS: Final = 3  # an alarm on a band: the metric, and the two edges
SIGN_IN_METRICS: Final = 2  # an alarm that computes with two
FILTERS: Final = 22
ROUTES: Final = 7
FUNCTION_GB: Final = 1769 / 1024
VERIFIER_GB: Final = 2 * FUNCTION_GB
# docs/metrics.md, "What it costs"; what S3 reports for each of two filters; what API Gateway reports for
# each route.
SERVICE_METRICS: Final = 160
STORAGE_METRICS: Final = 2 * 16
ROUTE_METRICS: Final = 6

# Assumptions of little weight.
RELEASES_KEPT_GB: Final = 12 * 0.25
TRAIL_FILES: Final = 2 * 12 * usage.HOURS  # of two regions, every five minutes
MANAGEMENT_EVENTS: Final = 100_000
EMPTY_RECEIVES: Final = 5 * 3 * 60 * usage.HOURS  # five pollers of Lambda's, 20 s each
CALLS_TO_A_KEY: Final = 100  # calls to S3 for one to KMS, with a bucket key
PACKING: Final = 0.15
LOG_MONTHS: Final = 13
ALARM_MAILS: Final = 100
RARELY_READ: Final = 0.7


@dataclass(frozen=True, slots=True)
class Size:
    """How large a store is, and what its machines do in a month."""

    name: str
    people: int
    terabytes: float
    machines: int
    machine_pulls: int
    machine_tokens: int
    questions_tb: float

    @property
    def days(self) -> int:
        """Working days of people."""
        return self.people * usage.WORKING_DAYS

    @property
    def pushes(self) -> int:
        """Versions published."""
        return self.days * usage.PUSHES_A_DAY

    @property
    def people_pulls(self) -> int:
        """Versions fetched by people."""
        return self.days * usage.PULLS_A_DAY

    @property
    def acts(self) -> tuple[tuple[int, str, Act], ...]:
        """All that is done in the month: how often, its name, and what it takes."""
        return (
            (self.pushes, "pushes", usage.PUSH),
            (self.people_pulls + self.machine_pulls, "pulls", usage.PULL),
            (self.days * usage.LOOKS_A_DAY, "looks", usage.LOOK),
            (usage.SWEEPS, "sweeps", usage.SWEEP),
        )

    def total(self, of: str) -> int:
        """Requests, writes, reads or events of the month."""
        return sum(number * int(getattr(act, of)) for number, _, act in self.acts)

    def sum(self, of: str) -> str:
        """How that total is come by."""
        return " + ".join(
            f"{number:,} {name} × {getattr(act, of)}" for number, name, act in self.acts if getattr(act, of)
        )

    @property
    def stored_gb(self) -> float:
        """Bytes kept, in GB."""
        return self.terabytes * GB_OF_A_TB


SMALL: Final = Size(
    "10 people, 1 TB", 10, 1, machines=1, machine_pulls=1_000, machine_tokens=500, questions_tb=0.01
)
LARGE: Final = Size(
    "200 people, 50 TB", 200, 50, machines=8, machine_pulls=20_000, machine_tokens=5_840, questions_tb=0.5
)


@dataclass(frozen=True, slots=True)
class Line:
    """So much of something at a price, and how the amount was come by."""

    price: Price
    amount: float
    how: str

    @property
    def dollars(self) -> float:
        """What it costs."""
        return self.price.of(self.amount)


def monthly(size: Size) -> tuple[Line, ...]:
    """Every line of the month's bill, in one region and with everything in S3 Standard."""
    return (
        *_storage(size),
        *_functions(size),
        *_people(size),
        *_records(size),
        Line(prices.IMAGES, RELEASES_KEPT_GB, "twelve releases of 0.25 GB"),
        Line(prices.QUESTIONS, size.questions_tb, "questions of the audit (assumed)"),
        Line(
            prices.OUT,
            size.people_pulls * usage.VERSION_BYTES / usage.GIB,
            f"{size.people_pulls:,} pulls of people × 224 MiB over the internet; in the region it is free",
        ),
    )


def _storage(size: Size) -> tuple[Line, ...]:
    writes, reads = size.total("writes"), size.total("reads")
    return (
        Line(prices.STANDARD, size.stored_gb, f"{size.terabytes:g} TB × {GB_OF_A_TB:,}"),
        Line(
            prices.WRITES, writes + TRAIL_FILES, f"{size.sum('writes')} + {TRAIL_FILES:,} files of the trail"
        ),
        Line(prices.READS, reads, size.sum("reads")),
        Line(prices.KEY, KEYS, "bytes, metadata, operations, signing, logs, state"),
        Line(
            prices.KEY_CALLS,
            (writes + reads) / CALLS_TO_A_KEY + TRAIL_FILES,
            f"one in {CALLS_TO_A_KEY} calls to S3, by bucket keys (assumed); one a file of the trail",
        ),
        Line(prices.SIGNATURES, size.pushes, "one a version"),
    )


def _functions(size: Size) -> tuple[Line, ...]:
    requests, messages = size.total("requests"), size.pushes * usage.MESSAGES_A_PUSH
    verifying = size.pushes * usage.push_seconds() + usage.SWEEPS * usage.SWEEP_SECONDS
    return (
        Line(
            prices.INVOCATIONS,
            requests + messages + usage.SWEEPS,
            f"{requests:,} requests + {messages:,} messages + {usage.SWEEPS:,} sweeps",
        ),
        Line(
            prices.SECONDS,
            FUNCTION_GB * requests * usage.REQUEST_SECONDS + VERIFIER_GB * verifying,
            f"{FUNCTION_GB:.2f} GB × {requests:,} × {usage.REQUEST_SECONDS} s + {VERIFIER_GB:.2f} GB × "
            f"({size.pushes:,} pushes × {usage.push_seconds():.1f} s + "
            f"{usage.SWEEPS:,} × {usage.SWEEP_SECONDS:g} s)",
        ),
        Line(prices.GATEWAY, requests, size.sum("requests")),
        Line(
            prices.QUEUE_CALLS, EMPTY_RECEIVES + 3 * messages, f"{EMPTY_RECEIVES:,} empty looks + 3 a message"
        ),
        Line(
            prices.TRACES,
            requests + messages + usage.SWEEPS,
            "at most: the first of a second and 5 % of the others are traced",
        ),
    )


def _people(size: Size) -> tuple[Line, ...]:
    return (
        Line(prices.PEOPLE, size.people, "threat protection is on, so the pool is Plus"),
        Line(prices.MACHINES, size.machines, "`machines`"),
        Line(prices.MACHINE_TOKENS, size.machine_tokens, "one an hour and machine, at most"),
    )


def _records(size: Size) -> tuple[Line, ...]:
    requests, events = size.total("requests"), size.total("events")
    line = usage.REQUEST_LINE + usage.PLATFORM_LINES + usage.GATEWAY_LINE
    verifier = size.pushes * usage.PUSH_LINES + usage.SWEEPS * (usage.SWEEP_LINES + usage.PLATFORM_LINES)
    taken = (requests * line + verifier + (events + MANAGEMENT_EVENTS) * usage.RECORD) / usage.GIB
    return (
        Line(prices.DATA_EVENTS, events, size.sum("events")),
        Line(
            prices.LOGS,
            taken,
            f"{line:,} bytes a request, {usage.RECORD:,} a record of the trail, of which there are "
            f"{MANAGEMENT_EVENTS:,} others, and the verifier's",
        ),
        Line(prices.LOGS_KEPT, taken * LOG_MONTHS * PACKING, f"× {LOG_MONTHS} months × {PACKING} packed"),
        Line(
            prices.METRICS,
            FILTERS + SERVICE_METRICS + STORAGE_METRICS + ROUTES * ROUTE_METRICS,
            f"{FILTERS} filters + {SERVICE_METRICS} of the service + {STORAGE_METRICS} of S3 + "
            f"{ROUTES} routes × {ROUTE_METRICS}; at most, for only hours count in which one is reported",
        ),
        Line(
            prices.ALARMS,
            PLAIN_ALARMS + BAND_METRICS + SIGN_IN_METRICS,
            f"{PLAIN_ALARMS} alarms + {BAND_METRICS} of the band + {SIGN_IN_METRICS} of failed sign-ins",
        ),
        Line(prices.DASHBOARDS, 1, "the store's"),
        Line(prices.MAILS, ALARM_MAILS, "alarms"),
    )


def extras(size: Size) -> tuple[tuple[str, float], ...]:
    """What a variable adds to the month, or takes off: its name, and dollars."""
    new = size.pushes * usage.VERSION_BYTES / usage.GIB
    writes = size.total("writes")
    copied = (
        prices.STANDARD.of(size.stored_gb)
        + prices.BETWEEN.of(new)
        + prices.WRITES.of(writes)
        + prices.DATA_EVENTS.of(writes)
        + prices.KEY.of(REPLICA_KEYS)
    )
    rare = RARELY_READ * max(0.0, size.stored_gb - new)
    objects = size.stored_gb * usage.GIB / usage.VERSION_BYTES
    saved = rare * (prices.INFREQUENT.dollars - prices.STANDARD.dollars) + prices.MONITORED.of(objects)
    return (
        ("`replica_region`", copied),
        ('`storage_tier = "intelligent-tiering"`', saved),
        ("`capacity.warm`, each environment", prices.WARM.of(FUNCTION_GB * usage.HOURS * 3600)),
    )


_EXTRAS: Final = (
    "the bytes again, new ones to another region, writes and their events once more, two keys",
    f"if {RARELY_READ:.0%} of what is older than a month is not read; one file a version is monitored",
    f"{FUNCTION_GB:.2f} GB × {usage.HOURS} h × 3,600 s",
)


def extras_table() -> str:
    """The same for both sizes."""
    pairs = zip(extras(SMALL), extras(LARGE), _EXTRAS, strict=True)
    rows = [(name, _signed(small), _signed(large), how) for (name, small), (_, large), how in pairs]
    return table(("a month", SMALL.name, LARGE.name, "how"), rows)


def bill(size: Size) -> str:
    """The month line by line, as a table."""
    lines = monthly(size)
    rows = [
        (
            line.price.service,
            line.price.what,
            line.how,
            amount(line.amount),
            _unit(line.price),
            dollars(line.dollars),
        )
        for line in lines
    ]
    together = f"**{dollars(sum(line.dollars for line in lines))}**"
    return table(
        ("service", "what", "how", "amount", "price", "a month"),
        [*rows, ("**together**", "", "", "", "", together)],
    )


def summary() -> str:
    """Both sizes, service by service."""
    bills = [monthly(size) for size in (SMALL, LARGE)]
    services = dict.fromkeys(line.price.service for line in bills[0])
    rows = [
        (
            service,
            *(
                dollars(sum(line.dollars for line in lines if line.price.service == service))
                for lines in bills
            ),
        )
        for service in services
    ]
    together = (f"**{dollars(sum(line.dollars for line in lines))}**" for lines in bills)
    whole = (dollars(sum(line.price.whole(line.amount) for line in lines)) for lines in bills)
    return table(
        ("a month", SMALL.name, LARGE.name),
        [*rows, ("**together**", *together), ("where free amounts are used up elsewhere", *whole)],
    )


def price_list() -> str:
    """The prices, each with AWS's page, and where it was read."""
    rows = [
        (
            f"[{price.service}]({price.page})",
            price.what,
            _unit(price),
            f"{price.free:,.0f}" if price.free else "",
            price.seen,
        )
        for price in prices.ALL
    ]
    return table(("service", "what", "price", "free each month", "read in"), rows)


def _unit(price: Price) -> str:
    return f"{price.dollars:.10f}".rstrip("0").rstrip(".") + f" / {price.unit}"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'} {dollars(abs(value))}"


def main() -> None:
    """Print the bill for a size given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m docs.sources.costs", description=__doc__)
    parser.add_argument("--people", type=int, required=True, help="who sign in in a month")
    parser.add_argument("--terabytes", type=float, required=True, help="bytes of models kept")
    parser.add_argument("--machines", type=int, default=1, help="machine identities")
    parser.add_argument("--machine-pulls", type=int, default=1_000, help="versions they fetch in a month")
    given = parser.parse_args()
    size = Size(
        f"{given.people} people, {given.terabytes:g} TB",
        given.people,
        given.terabytes,
        given.machines,
        given.machine_pulls,
        machine_tokens=given.machines * usage.HOURS,
        questions_tb=0.01 * given.terabytes,
    )
    print(bill(size))


if __name__ == "__main__":
    main()
