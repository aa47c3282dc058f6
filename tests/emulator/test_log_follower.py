"""Following logs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from smas_emulator.log_follower import show_logs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def steps(*actions: Callable[[], object]) -> Callable[[], bool]:
    """A `follow` that does one thing a round, then ends."""
    remaining = list(actions)

    def follow() -> bool:
        if not remaining:
            return False
        remaining.pop(0)()
        return True

    return follow


def show(folder: Path, follow: Callable[[], bool], *, colour: bool = False, last: int = 20) -> str:
    """What the follower writes."""
    output = io.StringIO()
    show_logs(folder, output, colour=colour, last=last, follow=follow)
    return output.getvalue()


def test_lines_are_shown_with_their_process_as_they_come(tmp_path: Path) -> None:
    """The last lines first, then every new one, a later process's too; half a line waits for its end."""
    service, worker = tmp_path / "service.log", tmp_path / "worker.log"
    service.write_text("one\ntwo\nthree\nfou", encoding="utf-8")

    def append(path: Path, text: str) -> Callable[[], object]:
        def action() -> None:
            with path.open("a", encoding="utf-8") as log:
                log.write(text)

        return action

    shown = show(tmp_path, steps(append(service, "r\n"), append(worker, "hello\n")), last=2)

    assert shown.splitlines() == [
        "service    | two",
        "service    | three",
        "service    | four",
        "worker     | hello",
    ]


def test_an_emptied_log_is_followed_from_its_new_beginning(tmp_path: Path) -> None:
    """A log that was emptied is shown anew instead of never again."""
    path = tmp_path / "service.log"
    path.write_text("a long old line\n", encoding="utf-8")

    shown = show(tmp_path, steps(lambda: path.write_text("new\n", encoding="utf-8")))

    assert shown.splitlines() == ["service    | a long old line", "service    | new"]


def test_colour_is_in_the_prefix_alone(tmp_path: Path) -> None:
    """With colour, each process has its own, and the line itself is as it was written."""
    for name in ("service", "worker"):
        (tmp_path / f"{name}.log").write_text("line\n", encoding="utf-8")

    first, second = show(tmp_path, steps(), colour=True).splitlines()

    assert first.startswith("\x1b[")
    assert second.startswith("\x1b[")
    assert first[:5] != second[:5]
    assert first.endswith("\x1b[0m | line")


def test_no_colour_means_none(tmp_path: Path) -> None:
    """Without colour there is not one escape sequence."""
    (tmp_path / "service.log").write_text("line\n", encoding="utf-8")

    assert "\x1b" not in show(tmp_path, steps())
