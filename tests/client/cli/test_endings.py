"""How commands end: an exit code for each kind of error, and words that say what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from smas.cli.main import Terminated
from smas.errors import EXIT_CODES

from tests.client.site.answers import Given
from tests.client.site.fixtures import M
from tests.web.conftest import PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.cli.conftest import Command
    from tests.client.site.wire import Sent


def _raises(error: BaseException) -> Callable[[Sent], Given]:
    def happens(_: Sent) -> Given:
        raise error

    return happens


def _reject(smas: Command, files: Path) -> None:
    bucket = smas.wire.site.bucket
    smas.wire.instead(
        "PUT",
        "memory://put",
        lambda request: Given(200, {"ETag": bucket.put(request.url.split("|")[1], b"x" * 20).etag}),
    )
    assert smas("push", files / "model.bin", M).code == 8


def _flip(smas: Command, files: Path) -> None:
    smas.done("push", files / "model.bin", M)

    def flipped(request: Sent) -> Given:
        right = smas.wire.carry_out(request)
        content = right.content()
        return Given(206, right.headers, bytes([content[0] ^ 1]) + content[1:])

    smas.wire.instead("GET", "memory://get", flipped, times=100)


def _in_the_way(smas: Command, files: Path) -> None:
    smas.done("push", files / "model.bin", M)
    (files.parent / "in").mkdir()
    (files.parent / "in" / "model.bin").write_bytes(b"mine")


def _moved(smas: Command, files: Path) -> None:
    smas.done("push", files / "model.bin", M, "--alias", "champion")


def _published(smas: Command, files: Path) -> None:
    smas.done("push", files / "model.bin", M)


def _dropping(smas: Command, _files: Path) -> None:
    smas.wire.drop("POST", "/uploads", times=100)


def _nothing(_smas: Command, _files: Path) -> None:
    """The store is as it is."""


CASES: dict[str, tuple[int, str, Callable[[Command, Path], None], str]] = {
    "done": (0, "whoami", _nothing, ""),
    "not the store": (
        1,
        "whoami",
        lambda smas, _: smas.wire.instead("GET", "/whoami", lambda _: Given(200, {}, b"hello")),
        "is this the store's address",
    ),
    "unknown option": (2, "whoami --nonsense", _nothing, "--nonsense"),
    "unknown command": (2, "wohami", _nothing, "wohami"),
    "not encrypted": (2, "--store http://models.example.test whoami", _nothing, "not encrypted"),
    "nothing to edit": (2, f"edit {M}", _nothing, "nothing to change"),
    "not allowed": (4, f"alias set {M} production 1", _published, "smas whoami"),
    "not found": (5, "show fraud/none", _nothing, "smas ls"),
    "conflict": (6, f"alias set {M} champion 1 --expect none", _moved, "look at what is there now"),
    "invalid": (7, "show Fraud/x", _nothing, "is no team"),
    "invalid file": (7, "push {files}/no-files " + M, _nothing, "holds no file"),
    "rejected": (8, f"pull {M}@1 {{files}}/../in", _reject, "rejected"),
    "unavailable": (9, f"push {{files}} {M} --retries 0", _dropping, "run the same command again"),
    "corrupt": (10, f"pull {M} {{files}}/../in --retries 0", _flip, "SHA-256 differs"),
    "in the way": (11, f"pull {M} {{files}}/../in", _in_the_way, "--overwrite"),
    "no such folder": (11, f"push {{files}}/none {M}", _nothing, "can't be read"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_error_has_its_exit_code(smas: Command, files: Path, case: str) -> None:
    """The documented code, nothing on stdout, and on stderr what happened or what to do next."""
    code, line, prepare, told = CASES[case]
    (files / "no-files").mkdir()
    prepare(smas, files)
    ended = smas(*(word.replace("{files}", str(files)) for word in line.split()))
    assert ended.code == code, ended.err
    assert told in ended.err
    if code:
        assert ended.out == ""
        assert "Traceback" not in ended.err
    if code > 2:
        assert len([line for line in ended.err.splitlines() if line.startswith("smas: ")]) == 1


def test_without_a_sign_in_one_is_told_how(nobody: Command) -> None:
    """Exit code 3, and a line to paste."""
    ended = nobody("whoami")
    assert ended.code == 3
    assert "smas login ADDRESS" in ended.err
    elsewhere = nobody("--store", PUBLIC_URL, "whoami")
    assert elsewhere.code == 3
    assert f"next: smas login {PUBLIC_URL}" in elsewhere.err


def test_every_documented_code_is_tried() -> None:
    """What `smas --help` documents is what is tried here; 3, 130 and 143 have tests of their own."""
    assert {code for code, _, _, _ in CASES.values()} | {3, 130, 143} == {code for code, _ in EXIT_CODES}


def test_the_request_id_is_told(smas: Command) -> None:
    """Whoever administers the store finds the request by it."""
    ended = smas("show", "fraud/none")
    assert f"  request id: {smas.wire.sent[-1].headers['X-Request-Id']}\n" in ended.err


def test_several_faults_are_listed(smas: Command, files: Path) -> None:
    """Every file that can't be published is named at once, up to twenty."""
    for number in range(25):
        (files / f"link-{number:02}").symlink_to("model.bin")
    ended = smas("push", files, M)
    assert ended.code == 7
    assert ended.err.count("  - link-") == 20
    assert "  - and 5 more\n" in ended.err
    assert smas.wire.sent == []


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_command_says_how_to_go_on(smas: Command, error: BaseException, code: int) -> None:
    """The code is the shell's own for the signal."""
    smas.wire.instead("GET", "/whoami", _raises(error))
    ended = smas("whoami")
    assert (ended.code, ended.out) == (code, "")
    assert "run the same command again to continue" in ended.err


def test_an_error_of_ours_is_told_without_a_traceback(smas: Command) -> None:
    """One line and what to do; with --debug everything there is."""
    smas.wire.instead("GET", "/whoami", _raises(ZeroDivisionError("a bug")), times=2)
    ended = smas("whoami")
    assert (ended.code, ended.out) == (1, "")
    assert "an error of ours: ZeroDivisionError: a bug" in ended.err
    assert "--debug" in ended.err
    with pytest.raises(ZeroDivisionError):
        smas("whoami", "--debug")
