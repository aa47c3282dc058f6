"""What a sweep finds, whatever lies in the bucket, and how many lists that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.names import MAX_VERSION, ModelId
from service.errors import Unavailable
from service.registry import keys
from service.verifier.events import ProtectedAliasMoved, VersionPublished
from service.verifier.sweep import forgotten
from tests.fakes.in_memory import FakeObjectStore, InMemoryBucket

if TYPE_CHECKING:
    from service.ports import Entry, Page

# Names one of which begins another, with characters on either side of "/" and of digits.
MODELS = st.builds(
    ModelId, st.sampled_from(["a", "a-", "a0", "b"]), st.sampled_from(["m", "m-", "m.x", "m0", "m_", "M"])
)
VERSIONS = st.tuples(
    MODELS,
    st.sampled_from([1, 2, 9, 10, 11, 100, MAX_VERSION - 1, MAX_VERSION]) | st.integers(1, MAX_VERSION),
)
# What a team may write past the service.
ODD = st.sampled_from(
    ["", "a", "a/m/junk.json", "a/m/x/9999999998.json", "a/m/9999999998", "a/m/é\U0001f600.json"]
)


class Paged(FakeObjectStore):
    """Lists in small pages, and counts them."""

    page = 1000
    lists = 0

    def entries(self, prefix: str, *, after: str | None = None, limit: int = 1000) -> Page[Entry]:
        """See ``ObjectStore.entries``."""
        self.lists += 1
        return super().entries(prefix, after=after, limit=min(limit, self.page))


@given(
    published=st.sets(VERSIONS),
    decided=st.sets(VERSIONS),
    both=st.sets(VERSIONS),
    moved=st.sets(MODELS),
    odd=st.sets(st.tuples(st.sampled_from(["manifests/", "verdicts/", "protected/"]), ODD)),
    page=st.integers(1, 12),
)
def test_a_sweep_finds_what_a_difference_of_sets_finds(
    published: set[tuple[ModelId, int]],
    decided: set[tuple[ModelId, int]],
    both: set[tuple[ModelId, int]],
    moved: set[ModelId],
    odd: set[tuple[str, str]],
    page: int,
) -> None:
    """For any keys, in pages of any size: each version without a verdict, each model with an alias, once."""
    bucket = InMemoryBucket()
    for kind, name in odd:
        bucket.put(kind + name, b"")
    for model, number in published | both:
        bucket.put(keys.manifest(model, number), b"")
    for model, number in decided | both:
        bucket.put(keys.verdict(model, number), b"")
    for model in moved:
        for name in ("production", "staging"):
            bucket.put(keys.alias(model, name, protected=True), b"")
    objects = Paged(bucket)
    objects.page = page
    found = list(forgotten(objects))
    versions = [(event.model, event.number) for event in found if isinstance(event, VersionPublished)]
    models = [event.model for event in found if isinstance(event, ProtectedAliasMoved)]
    assert sorted(versions) == sorted((published | both) - (decided | both))
    assert set(models) - {ModelId("a", "m")} == moved - {ModelId("a", "m")}
    assert len(models) == len(set(models))


def test_a_sweep_takes_as_many_lists_for_many_models_as_for_one() -> None:
    """It is versions that count: two lists a thousand, and one for the aliases."""
    bucket = InMemoryBucket()
    for n in range(100):
        model = ModelId("fraud", f"m{n}")
        bucket.put(keys.manifest(model, 1), b"")
        bucket.put(keys.verdict(model, 1), b"")
    objects = Paged(bucket)
    assert list(forgotten(objects)) == []
    assert objects.lists == 3


def test_a_sweep_can_be_ended_between_two_lists() -> None:
    """A store with nothing forgotten may be too large to be listed in one invocation, too."""
    bucket = InMemoryBucket()
    model = ModelId("fraud", "m")
    for number in range(1, 10):
        bucket.put(keys.manifest(model, number), b"")
        bucket.put(keys.verdict(model, number), b"")
    objects = Paged(bucket)
    objects.page = 1

    def check() -> None:
        if objects.lists == 5:
            raise Unavailable("the invocation is near its deadline")

    with pytest.raises(Unavailable):
        list(forgotten(objects, check))
    assert objects.lists == 5
