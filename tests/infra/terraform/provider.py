"""Where `terraform init` finds the provider without a network.

https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.infra.terraform.configurations import INFRA, LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

# A mirror's layout: <mirror>/<host>/<namespace>/<type>/<version>/<platform>/<file>.
_SOURCE: Final = ("registry.terraform.io", "hashicorp", "aws")
_ROOTS: Final = (
    "/opt",
    "/srv",
    "~/.terraform.d",
    "/usr/local/share",
    "/usr/share/terraform",
    "/var/lib/terraform",
)
_DEEPEST: Final = 8  # a mirror begins two below a root at most
# A search must not become a walk over a whole disk.
_MOST_FOLDERS: Final = 20_000


def locked_version() -> str:
    """The provider's version in the lock file of `infra/`."""
    found = re.search(r'version\s+= "([0-9.]+)"', (INFRA / LOCK).read_text(encoding="utf-8"))
    assert found, f"{LOCK} names no version"
    return found[1]


@cache
def provider_mirror() -> Path | None:
    """A folder for `-plugin-dir`: that of the variable TF_PLUGIN_DIR, or one that is found.

    None leaves it to Terraform: its CLI configuration, its own folders, or the registry.
    """
    named = os.environ.get("TF_PLUGIN_DIR")
    if named:
        return Path(named)
    return next(_mirrors(f"terraform-provider-aws_v{locked_version()}"), None)


def _mirrors(prefix: str) -> Iterator[Path]:
    roots = [*_ROOTS, *filter(None, [os.environ.get("TF_PLUGIN_CACHE_DIR")])]
    left = _MOST_FOLDERS
    for root in (Path(each).expanduser() for each in roots):
        for folder, folders, files in os.walk(root):
            here = Path(folder)
            left -= 1
            if left == 0:
                return
            if len(here.relative_to(root).parts) >= _DEEPEST:
                folders.clear()
            if any(file.startswith(prefix) for file in files) and here.parts[-5:-2] == _SOURCE:
                yield here.parents[4]
