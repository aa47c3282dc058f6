"""The audit through the installed command, on the whole local stack: who touched what, within seconds."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.e2e.smas_command import Smas, soon
from tests.e2e.test_smas_terminal import COLOUR, on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

# The local trail delivers log files every few seconds, and a digest every minute.
LOG_SECONDS = 30
DIGEST_SECONDS = 150


class People(NamedTuple):
    """Whoever appears here, each on a machine of their own."""

    scientist: Smas
    stranger: Smas
    compliance: Smas


@pytest.fixture
def people(stack: Stack, tmp_path: Path) -> People:
    """Signed in."""
    return People(
        *(Smas(tmp_path / name).login(stack, name) for name in ("ds-fraud", "ds-nlp", "compliance"))
    )


@pytest.fixture
def published(people: People, model: str, tmp_path: Path) -> str:
    """Published and pulled by one data scientist; another team's was refused."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.bin").write_bytes(model.encode())
    people.scientist.text("push", tmp_path / "out", model)
    people.scientist.text("pull", model, tmp_path / "in", "--no-cache")
    assert people.stranger.run("pull", model, tmp_path / "stolen").returncode == 5
    return model


def events(reader: Smas, *arguments: str) -> list[dict[str, Any]]:
    """What `smas audit events --json` prints."""
    return [json.loads(line) for line in reader.text("audit", "events", "--json", *arguments).splitlines()]


def test_compliance_finds_who_fetched_the_model_by_name(people: People, published: str) -> None:
    """Within seconds: the download with its version and path, the upload, and nothing of anybody else."""
    wanted = ("--model", published, "--who", "ds-fraud", "--outcome", "success")
    soon(
        lambda: any(row["path"] == "model.bin" for row in events(people.compliance, *wanted)),
        "the download is in the audit",
        LOG_SECONDS,
    )
    rows = events(people.compliance, *wanted, "--all")
    (download,) = [row for row in rows if row["path"] == "model.bin"]
    assert (download["actor"], download["role"], download["version"]) == ("ds-fraud", "data-scientist", 1)
    assert (download["action"], download["auth_method"]) == ("s3:GetObject", "QueryString")
    assert download["bytes"] == len(published)
    assert {row["actor"] for row in rows} == {"ds-fraud"}
    assert {row["model"] for row in rows} == {published}
    by_source_identity = events(people.compliance, "--who", download["subject"], "--model", f"{published}@1")
    assert download in by_source_identity
    told = people.compliance.text("audit", "events", *wanted)
    assert "downloaded model.bin of version 1" in told
    assert "uploaded model.bin of version 1" in told
    assert "published version 1" in told
    assert "signed version 1 as its author" in told
    assert "wrote the card" in told


def test_refusals_are_found_and_shown_as_such(people: People, published: str) -> None:
    """The other team's attempt, which never reached AWS, by name and model; in colour on a terminal."""
    refused = ("--denied", "--model", published)
    soon(lambda: bool(events(people.compliance, *refused, "--who", "ds-nlp")), "the refusal", LOG_SECONDS)
    rows = events(people.compliance, *refused)
    assert {(row["actor"], row["source"], row["outcome"]) for row in rows} == {
        ("ds-nlp", "service", "denied")
    }
    code, shown = on_terminal(people.compliance, "audit", "events", *refused)
    assert code == 0
    assert COLOUR.search(shown)
    lines = COLOUR.sub("", shown).replace("\x1b[0m", "").rpartition("\x1b[K")[2].splitlines()
    assert max(map(len, lines)) <= 100
    assert any("ds-nlp" in line and "denied: store" in line for line in lines)
    colourless = Smas(people.compliance.home, {"NO_COLOR": "1"})
    code, shown = on_terminal(colourless, "audit", "events", *refused)
    assert (code, COLOUR.search(shown)) == (0, None)
    assert "denied: store" in shown


def test_the_trail_is_whole(people: People, published: str) -> None:
    """Digests, signatures, chain and log files are right, and no session of these people is unknown.

    Other tests of the same stack begin sessions behind the store's back, which are.
    """
    assert published

    def checked() -> dict[str, Any]:
        done = people.compliance.run("audit", "integrity", "--since", "7d", "--json")
        found: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if found["valid"] and not found["sessions"]["unknown"] else 1)
        return found

    def proved() -> bool:
        found = checked()
        return bool(found["valid"]) and min(found["digests"], found["logs"]) >= 1

    soon(proved, "a digest and its proof", DIGEST_SECONDS)
    found = checked()
    assert (found["valid"], found["problems"], found["complete"]) == (True, [], True)
    assert found["digests"] >= 1
    assert found["logs"] >= 1
    assert found["sessions"]["assumed"] >= 1
    unknown = {session["subject"] for session in found["sessions"]["unknown"]}
    assert not unknown & {person.json("whoami")["subject"] for person in people}
    told = people.compliance.run("audit", "integrity").stdout
    assert told.startswith("valid: ")
    assert ("all announced by it" in told) is not bool(unknown)


def test_what_happens_is_followed(people: People, published: str, tmp_path: Path) -> None:
    """One line as soon as it is delivered; Ctrl-C ends it with the shell's code and no more words."""
    follow = (
        "audit",
        "events",
        "--model",
        published,
        "--action",
        "s3:GetObject",
        "--json",
        "--follow",
        "-n",
        "100",
    )
    with people.compliance.started(*follow) as following:
        assert following.stdout
        assert following.stderr
        assert following.stderr.readline() == "waiting for newer events\n"
        people.scientist.text("pull", published, tmp_path / "again", "--no-cache")
        # Of the pull before, which may have been there already, and of this one.
        downloads: set[str] = set()
        while len(downloads) < 2:
            row = json.loads(following.stdout.readline())
            assert row["event_id"] not in downloads
            downloads |= {row["event_id"]} if row["path"] == "model.bin" else set()
        following.send_signal(signal.SIGINT)
        _, said = following.communicate(timeout=30)
    assert (following.returncode, said) == (130, "")


def test_it_is_not_for_everybody(people: People) -> None:
    """Exit code 4, and whose it is."""
    for command in ("events", "integrity"):
        done = people.scientist.run("audit", command)
        assert (done.returncode, done.stdout) == (4, "")
        assert "only compliance and auditors" in done.stderr
