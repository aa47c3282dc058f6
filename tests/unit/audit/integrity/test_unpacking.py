"""Hashing a log file takes the memory of a piece of it, whatever it unpacks to."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.integrity.unpacking import NoGzip, hashed, text_of

MIB = 1024 * 1024


def test_a_long_text_is_hashed_in_little_memory() -> None:
    """100 MiB of text, in less than 8."""
    text = bytes(100 * MIB)
    data, sha256 = gzip.compress(text, compresslevel=1), hashlib.sha256(text).hexdigest()
    del text
    tracemalloc.start()
    found = hashed(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (found.sha256, found.tidy) == (sha256, True)
    assert peak < 8 * MIB


@given(st.binary(max_size=3_000), st.binary(max_size=50), st.integers(0, 9))
def test_the_first_member_counts(text: bytes, rest: bytes, level: int) -> None:
    """Whatever follows; that something does is told."""
    data = gzip.compress(text, compresslevel=level) + rest

    assert text_of(data) == text
    assert hashed(data).sha256 == hashlib.sha256(text).hexdigest()
    assert hashed(data).tidy == (not rest)


@given(st.binary(min_size=1, max_size=3_000), st.data())
def test_a_cut_off_gzip(text: bytes, data: st.DataObject) -> None:
    """Is no whole text; what of it is there is hashed."""
    whole = gzip.compress(text)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    with pytest.raises(NoGzip):
        text_of(cut)
    found = hashed(cut)
    assert not found.tidy
    there = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(cut)
    assert text.startswith(there)
    assert found.sha256 == hashlib.sha256(there).hexdigest()
