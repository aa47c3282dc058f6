"""AWS's public prices in us-east-1, in US dollars, each with AWS's page and where it was read.

None could be read from AWS's own price pages when this was written, because they fill their tables in the
browser. So each was taken from a page that quotes it, with that page's date, or from memory of AWS's page;
those say so, and want checking first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TAKEN: Final = "30 November 2026"
MEMORY: Final = "**from memory**"

PAGES: Final = {
    "API Gateway": "https://aws.amazon.com/api-gateway/pricing/",
    "Athena": "https://aws.amazon.com/athena/pricing/",
    "CloudTrail": "https://aws.amazon.com/cloudtrail/pricing/",
    "CloudWatch": "https://aws.amazon.com/cloudwatch/pricing/",
    "Cognito": "https://aws.amazon.com/cognito/pricing/",
    "Data transfer": "https://aws.amazon.com/ec2/pricing/on-demand/",
    "ECR": "https://aws.amazon.com/ecr/pricing/",
    "KMS": "https://aws.amazon.com/kms/pricing/",
    "Lambda": "https://aws.amazon.com/lambda/pricing/",
    "S3": "https://aws.amazon.com/s3/pricing/",
    "SNS": "https://aws.amazon.com/sns/pricing/",
    "SQS": "https://aws.amazon.com/sqs/pricing/",
    "X-Ray": "https://aws.amazon.com/xray/pricing/",
}
_MILLION: Final = 1_000_000
_MANY: Final = {"1,000": 1_000, "10,000": 10_000, "100,000": 100_000, "million": _MILLION}


@dataclass(frozen=True, slots=True)
class Price:
    """So many dollars for so much; `free` is what of it costs nothing each month."""

    service: str
    what: str
    dollars: float
    unit: str
    seen: str
    free: float = 0

    @property
    def page(self) -> str:
        """AWS's page that has it."""
        return PAGES[self.service]

    def of(self, amount: float) -> float:
        """What an amount costs."""
        return self.whole(max(0, amount - self.free))

    def whole(self, amount: float) -> float:
        """What it costs where nothing is free, because something else used that up."""
        return amount / _MANY.get(self.unit, 1) * self.dollars


STANDARD: Final = Price("S3", "Standard, the first 50 TB", 0.023, "GB-month", "go-cloud.io, late 2025")
INFREQUENT: Final = Price("S3", "Intelligent-Tiering, not read for 30 days", 0.0125, "GB-month", MEMORY)
MONITORED: Final = Price("S3", "Intelligent-Tiering, objects watched", 0.0025, "1,000", "usage.ai, June 2026")
WRITES: Final = Price("S3", "PUT, COPY, POST, LIST", 0.005, "1,000", "c3x.dev, undated")
READS: Final = Price("S3", "GET and others", 0.0004, "1,000", "c3x.dev, undated")

KEY: Final = Price("KMS", "a key", 1, "month", "cloudburn.io, March 2026")
KEY_CALLS: Final = Price("KMS", "calls, symmetric", 0.03, "10,000", "cloudburn.io, March 2026", free=20_000)
SIGNATURES: Final = Price("KMS", "signatures", 0.15, "10,000", "factualminds.com, June 2026")

INVOCATIONS: Final = Price(
    "Lambda", "invocations", 0.20, "million", "AWS, How AWS Pricing Works", free=_MILLION
)
SECONDS: Final = Price(
    "Lambda", "memory × time, x86", 0.0000166667, "GB-second", "cloudchipr.com, 2025", free=400_000
)
WARM: Final = Price(
    "Lambda", "provisioned concurrency", 0.0000041667, "GB-second", "copies of AWS's price list, 2025"
)
GATEWAY: Final = Price("API Gateway", "requests, HTTP API", 1, "million", "go-cloud.io, 2026")
QUEUE_CALLS: Final = Price(
    "SQS", "calls, standard queue", 0.40, "million", "cloudburn.io, March 2026", free=_MILLION
)
TRACES: Final = Price("X-Ray", "traces recorded", 5, "million", "AWS's page, undated", free=100_000)

PEOPLE: Final = Price("Cognito", "people who sign in in the month, Plus", 0.02, "person", MEMORY)
MACHINES: Final = Price("Cognito", "clients of machines", 6, "month", "rhythmictech.com, May 2025")
MACHINE_TOKENS: Final = Price("Cognito", "tokens of machines", 2.25, "1,000", "vantage-api.com, April 2025")

DATA_EVENTS: Final = Price("CloudTrail", "data events", 0.10, "100,000", "AWS's page, undated")
LOGS: Final = Price("CloudWatch", "log lines taken in", 0.50, "GB", "factualminds.com, June 2026", free=5)
LOGS_KEPT: Final = Price("CloudWatch", "log lines kept, packed", 0.03, "GB-month", "hykell.com, undated")
METRICS: Final = Price(
    "CloudWatch", "metrics of one's own", 0.30, "metric", "signoz.io, February 2026", free=10
)
ALARMS: Final = Price("CloudWatch", "metrics in alarms", 0.10, "metric", "c3x.dev, undated", free=10)
DASHBOARDS: Final = Price(
    "CloudWatch", "dashboards of over 50 metrics", 3, "dashboard", "factualminds.com, June 2026"
)
MAILS: Final = Price("SNS", "mails", 2, "100,000", "factualminds.com, June 2026", free=1_000)
IMAGES: Final = Price("ECR", "images kept", 0.10, "GB-month", "cloudburn.io, March 2026")
QUESTIONS: Final = Price("Athena", "bytes that questions read", 5, "TB", "awsnegotiations.com, undated")

OUT: Final = Price(
    "Data transfer", "to the internet, the first 10 TB", 0.09, "GB", "usage.ai, June 2026", free=100
)
BETWEEN: Final = Price("Data transfer", "to another region", 0.02, "GB", "wring.co, March 2026")

ALL: Final = tuple(value for value in tuple(globals().values()) if isinstance(value, Price))
