"""Several people, and many processes of one machine, at work with the same bytes at once."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.e2e.client import digest_of
from tests.e2e.smas_command import Smas, noise

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack


def test_two_people_push_the_same_large_file_at_once(stack: Stack, model: str, tmp_path: Path) -> None:
    """Both succeed, with a version each, and both versions are the file."""
    weights = noise(tmp_path / "weights.bin", 100)
    people = [Smas(tmp_path / name).login(stack, name) for name in ("ds-fraud", "ds-fraud-2")]
    with ExitStack() as running:
        pushes = [running.enter_context(smas.started("--json", "push", weights, model)) for smas in people]
        done = [process.communicate(timeout=100) for process in pushes]
        assert [process.returncode for process in pushes] == [0, 0], [said for _, said in done]
    versions = [json.loads(out)["version"] for out, _ in done]
    assert sorted(version["version"] for version in versions) == [1, 2]
    assert [version["state"] for version in versions] == ["available", "available"]
    for number in (1, 2):
        people[0].text("pull", f"{model}@{number}", tmp_path / str(number), "--no-cache")
        assert digest_of(tmp_path / str(number) / "weights.bin") == digest_of(weights)


def test_twenty_pulls_share_one_cache(stack: Stack, model: str, tmp_path: Path) -> None:
    """At once into twenty folders: every byte travels once, and all folders are right."""
    smas = Smas(tmp_path).login(stack)
    out = tmp_path / "out"
    sizes = {"a.bin": 20, "deep/b.bin": 1}
    digests = {path: digest_of(noise(out / path, size)) for path, size in sizes.items()}
    smas.text("push", out, model)
    folders = [tmp_path / f"in-{number}" for number in range(20)]
    with ExitStack() as running:
        pulls = [
            running.enter_context(smas.started("--json", "--quiet", "pull", model, folder))
            for folder in folders
        ]
        done = [process.communicate(timeout=100) for process in pulls]
        assert {process.returncode for process in pulls} == {0}, [said for _, said in done if said]
    assert sum(json.loads(out)["fetched_bytes"] for out, _ in done) == 21 << 20
    for folder in folders:
        assert {path: digest_of(folder / path) for path in digests} == digests


def test_a_second_pull_transfers_nothing(stack: Stack, model: str, tmp_path: Path) -> None:
    """Into another folder everything comes from the cache, into the same one nothing is touched."""
    smas = Smas(tmp_path).login(stack)
    noise(tmp_path / "out" / "model.bin", 3)
    smas.text("push", tmp_path / "out", model)
    kinds = ("fetched_files", "fetched_bytes", "cached_files", "unchanged_files")
    found = []
    for folder in ("in", "other", "other"):
        pulled = smas.json("pull", model, tmp_path / folder)
        found.append(tuple(pulled[kind] for kind in kinds))
    assert found == [(1, 3 << 20, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
