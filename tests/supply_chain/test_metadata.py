"""What metadata says of a licence, and when it says nothing exact."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING

import pytest

from supply_chain.metadata import declared_licence, installed, said_of_licence
from tests.supply_chain.repository import Repository

if TYPE_CHECKING:
    from pathlib import Path


def metadata(*headers: tuple[str, str]) -> Message:
    """Core metadata with these fields."""
    made = Message()
    for name, value in headers:
        made[name] = value
    return made


OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("License-Expression", "Apache-2.0 OR BSD-3-Clause")], "Apache-2.0 OR BSD-3-Clause"),
        ([("License-Expression", "mit")], "MIT"),
        ([("License", "MPL-2.0 AND MIT")], "MPL-2.0 AND MIT"),
        ([("License", "MIT"), ("Classifier", f"{OSI}BSD License")], "MIT"),
        ([("Classifier", f"{OSI}MIT License")], "MIT"),
        ([("License", "The MIT License"), ("Classifier", f"{OSI}MIT License")], "MIT"),
        ([("License", "UNKNOWN"), ("Classifier", f"{OSI}ISC License (ISCL)")], "ISC"),
        ([("Classifier", "License :: DFSG approved"), ("Classifier", f"{OSI}MIT License")], "MIT"),
    ],
)
def test_an_exact_word_is_taken(headers: list[tuple[str, str]], expected: str) -> None:
    """PEP 639 first, then the old field, then a classifier that names one licence."""
    assert declared_licence(metadata(*headers)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("License", "BSD")],
        [("License", "Dual License"), ("Classifier", f"{OSI}MIT License")],
        [("License-Expression", "MIT AND Nonsense-1.0")],
        [("Classifier", f"{OSI}BSD License")],
        [("Classifier", f"{OSI}Apache Software License")],
        [("Classifier", f"{OSI}MIT License"), ("Classifier", f"{OSI}Apache Software License")],
        [("License", "Proprietary"), ("Classifier", f"{OSI}MIT License")],
    ],
)
def test_what_is_vague_is_no_licence(headers: list[tuple[str, str]]) -> None:
    """A family of licences, a contradiction, or an unknown id: somebody has to read."""
    assert declared_licence(metadata(*headers)) == ""


def test_a_reader_is_told_what_it_says() -> None:
    """In a line, without the classifiers' path."""
    said = said_of_licence(metadata(("License", "BSD"), ("Classifier", f"{OSI}BSD License")))
    assert said == "BSD; BSD License"


def test_licence_files_are_found_and_hashed(tmp_path: Path) -> None:
    """By their name, wherever the installer put them; an empty one does not count."""
    made = Repository(tmp_path)
    made.install("empty", "1.0", licence=" \n")
    found = {str(name): each for name, each in installed(made.site_packages).items()}
    assert found["pleasant"].texts == ("pleasant-1.0.dist-info/LICENSE",)
    assert found["pleasant"].digest("LICENSE") == found["pleasant"].digest("pleasant-1.0.dist-info/LICENSE")
    assert found["pleasant"].digest("elsewhere") is None
    assert found["empty"].texts == ()
