"""What the emulators of a rehearsal cannot do, by name, and what replaces the check. Printed at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """Something of AWS that a rehearsal does not show, and where it is shown or promised instead."""

    what: str
    instead: str


LIMITS: Final = (
    Limit(
        "functions that run from the image, and an HTTP API before them, without a container engine",
        "the same programs as processes, in sessions of the functions' own roles; with an engine, in"
        " containers behind the emulated API",
    ),
    Limit(
        "a registry for the image: the repository takes a manifest, and nothing can be pulled",
        "tests/image builds the image and runs its functions; `make deploy` deploys by digest",
    ),
    Limit(
        "events from queue and schedule to the verifier's function",
        "the worker process reads the queue and sweeps by itself; the function in a container gets the event"
        " of the schedule from the rehearsal, and batches from tests/image",
    ),
    Limit(
        "throttling and access log of the HTTP API, its host name, its permission to call the function",
        "applied and read back; terraform test (infra/tests/api.tftest.hcl)",
    ),
    Limit(
        "memory, traces and execution environments of Lambda",
        "tests/image runs the functions against the Runtime API, up to their deadlines",
    ),
    Limit(
        "replication of the bucket by itself, in the role that is for it, and metrics of it",
        "both buckets, keys, roles and rules are applied, and the local AWS copies by them when it is asked"
        " to; what S3 itself copies is in no test (docs/testing-on-aws.md)",
    ),
    Limit(
        "the second region's store after a failover",
        "planned: it takes over what is there and destroys nothing; the rest is a deployment like the first",
    ),
    Limit(
        "a second secret of a machine (rotate-secret)",
        "tests/deployment, by the operations of AWS's own model",
    ),
    Limit(
        "how long S3 and IAM take until a change of policies is everywhere (bar)",
        "AWS promises no time; measured here is all the rest",
    ),
    Limit(
        "provisioned concurrency that scales (Application Auto Scaling)",
        "terraform test (infra/tests); capacity.warm is 0 here",
    ),
    Limit(
        "sign-in through an identity provider",
        "the provider and its mapping are applied; the function that maps groups has its own tests",
    ),
    Limit("threat protection of Cognito", "the configuration is applied and read back; nothing acts on it"),
    Limit(
        "Athena over years of logs",
        "tables, views and queries are applied; tests/infra/athena runs them on an engine of its own",
    ),
    Limit(
        "alarms that see AWS's own metrics",
        "all are applied; metric filters count real lines in the local stack",
    ),
    Limit(
        "lifecycle rules, access logs of S3, EventBridge deliveries", "applied and read back; terraform test"
    ),
    Limit(
        "IAM for the services that MiniStack stands for (API Gateway, Lambda, Glue, Athena, ECR)",
        "tests/infra lints every policy against AWS's own lists of actions",
    ),
    Limit(
        "TLS, DNS, a domain of one's own and its certificate",
        "terraform test; docs/deploy.md has the order of steps",
    ),
    Limit("quotas and the price of anything", "docs/deploy.md: each price names the page that quotes it"),
)


def describe() -> str:
    """All of it, for a terminal."""
    lines = ["What was not rehearsed, and what stands in for it:"]
    for limit in LIMITS:
        lines += [f"  - {limit.what}", f"      {limit.instead}"]
    return "\n".join(lines)
