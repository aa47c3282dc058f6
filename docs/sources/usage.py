"""What people do with the store, and what each of it takes: the one model under costs and limits.

How often people do something is an assumption, and stands in the pages as one. What each of it takes was
counted on the local stack, from the trail and the log of the service (30 November 2026): a version of four
files, 224 MiB, of which one goes in seven parts; pushed, waited for and given an alias; pulled with an
empty cache; shown and listed. `make bench ARGS=calls` counts it anew; on a busier machine a push asked more
often whether it was verified, and took 121 calls instead of 114.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 2**20
GIB: Final = 2**30
VERSION_BYTES: Final = 224 * MIB

# A month as AWS bills it, and the days of it on which people work.
HOURS: Final = 730
WORKING_DAYS: Final = 20


@dataclass(frozen=True, slots=True)
class Act:
    """Requests to the API, and calls to S3 by what they cost, each of which CloudTrail records."""

    requests: int
    writes: int
    reads: int

    @property
    def events(self) -> int:
        """Records of CloudTrail's."""
        return self.writes + self.reads


# The verifier's calls are in the push, which is why it has so many. A removed record costs nothing and
# counts as a read.
PUSH: Final = Act(requests=16, writes=65, reads=49)
PULL: Final = Act(requests=2, writes=1, reads=29)
LOOK: Final = Act(requests=1, writes=1, reads=2)
# The verifier's sweep, each minute: enough for a thousand versions; docs/deploy.md says what more take.
SWEEP: Final = Act(requests=0, writes=4, reads=0)
SWEEPS: Final = HOURS * 60

# A person's working day.
PUSHES_A_DAY: Final = 1
PULLS_A_DAY: Final = 3
LOOKS_A_DAY: Final = 10

# Events that the verifier takes up for a push: of each blob, manifest and author.
MESSAGES_A_PUSH: Final = 6

# Bytes of a log line: the service's for a request (counted), what Lambda and API Gateway add to it
# (assumed), the verifier's for a push and for a sweep (counted), a record of CloudTrail's (counted) and the
# same packed (assumed: AWS packs better than 183 bytes only in large files).
REQUEST_LINE: Final = 1050
PLATFORM_LINES: Final = 900
GATEWAY_LINE: Final = 700
PUSH_LINES: Final = 4150
SWEEP_LINES: Final = 300
RECORD: Final = 1750
PACKED_RECORD: Final = 250

# Seconds of a function, in AWS (assumed): a request, cold starts in it; a sweep; a message without its
# bytes. What the verifier hashes in a second is what docs/operations.md promises for a file of 50 GB.
REQUEST_SECONDS: Final = 0.25
SWEEP_SECONDS: Final = 1.0
MESSAGE_SECONDS: Final = 0.3
VERIFIED_BYTES_A_SECOND: Final = 75_000_000


def push_seconds() -> float:
    """How long the verifier works for one push."""
    return VERSION_BYTES / VERIFIED_BYTES_A_SECOND + MESSAGES_A_PUSH * MESSAGE_SECONDS


def day_of_a_person() -> Act:
    """All that a person does on a working day."""
    acts = ((PUSH, PUSHES_A_DAY), (PULL, PULLS_A_DAY), (LOOK, LOOKS_A_DAY))
    return Act(
        requests=sum(act.requests * times for act, times in acts),
        writes=sum(act.writes * times for act, times in acts),
        reads=sum(act.reads * times for act, times in acts),
    )
