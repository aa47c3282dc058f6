"""What may go wrong, as hypothesis draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.client.faults.proxy import Fault, Kind, What

if TYPE_CHECKING:
    from collections.abc import Collection

# A second is long where thousands of requests are made; scripted tests wait it.
_SLOW = frozenset({What.BUSY_FOR_A_SECOND})


def schedules(
    *kinds: Kind, without: Collection[What] = (), max_size: int = 12
) -> st.SearchStrategy[list[Fault]]:
    """Lists of faults for requests of those kinds; some let a request through."""
    possible = [
        Fault(what, kind)
        for what in What
        for kind in kinds
        if Fault(what, kind).fits(kind) and what not in _SLOW and what not in without
    ]
    return st.lists(st.sampled_from(possible), max_size=max_size)
