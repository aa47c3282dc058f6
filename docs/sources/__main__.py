"""`make docs`: draws the picture and fills the tables into the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from docs.sources import architecture, costs, scaling
from docs.sources.rendering import render
from docs.sources.tables import filled

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS: Final = Path(__file__).parents[1]
PICTURE: Final = DOCS / "architecture.png"


def computed() -> Mapping[Path, Mapping[str, str]]:
    """What is computed, by page and place."""
    return {
        DOCS / "deploy.md": {
            "costs": costs.summary(),
            "extras": costs.extras_table(),
            "small": costs.bill(costs.SMALL),
            "large": costs.bill(costs.LARGE),
            "prices": costs.price_list(),
        },
        DOCS / "operations.md": {
            "limits": scaling.limits(),
            "capacity": scaling.own_limits(),
            "records": scaling.records(),
        },
    }


def main() -> None:
    """Write all of it."""
    for page, texts in computed().items():
        page.write_text(filled(page.read_text(encoding="utf-8"), texts), encoding="utf-8")
        print(f"{page.name}: {', '.join(texts)}")
    PICTURE.write_bytes(render(architecture.svg()))
    print(PICTURE.name)


if __name__ == "__main__":
    main()
