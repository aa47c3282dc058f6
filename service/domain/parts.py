"""How a large file is cut into the parts of a multipart upload.

S3's limits (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html): 1 to 10,000 parts of
5 MiB to 5 GiB each, the last one as small as one likes.
"""

from __future__ import annotations

from typing import Final

import msgspec

MIB: Final = 1024 * 1024
SINGLE_UPLOAD_BYTES: Final = 64 * MIB
PART_BYTES: Final = 32 * MIB
MAX_PARTS: Final = 10_000
# URLs to parts that one answer holds.
MAX_TICKETS: Final = 1_000


class PartPlan(msgspec.Struct, frozen=True):
    """Parts of ``part_size`` bytes each, but for the last, which holds the rest of ``size``."""

    size: int
    part_size: int

    @property
    def part_count(self) -> int:
        """How many parts there are."""
        return -(-self.size // self.part_size)

    def size_of(self, number: int) -> int:
        """Bytes in part ``number``, counted from 1."""
        if number < self.part_count:
            return self.part_size
        return self.size - self.part_size * (self.part_count - 1)


def plan_parts(size: int) -> PartPlan:
    """The plan for a file of ``size`` bytes, more than a single upload holds.

    32 MiB parts: large enough for full speed, small enough to lose little when a connection drops.
    They grow with files beyond 10,000 of them (about 335 GB, more than a file may weigh today).
    """
    smallest = -(-size // MAX_PARTS)
    return PartPlan(size, max(PART_BYTES, -(-smallest // MIB) * MIB))
