"""A copy of a configuration that differs from it in override files, and is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Terraform merges files of this ending over the others:
# https://developer.hashicorp.com/terraform/language/files/override
# In the order of their names, so this one is merged last.
OVERRIDE: Final = "working_copy_override.tf"
_STATE: Final = "*.tfstate*"
_ERRORED: Final = "errored.tfstate"
_PROVIDERS: Final = ".terraform/providers"


@contextmanager
def working_copy(infra: Path, overrides: Mapping[str, str]) -> Iterator[Path]:
    """While inside, a copy of `infra`; `overrides` are texts by the folder in it that they are for, as ".".

    It stays, and is named by the error, where Terraform has left a state in it that exists nowhere else.
    """
    folder = Path(tempfile.mkdtemp(prefix="smas-infra-"))
    copy = folder / infra.name
    try:
        shutil.copytree(infra, copy, ignore=shutil.ignore_patterns(".terraform", _STATE, "*.tfplan"))
        if (infra / _PROVIDERS).is_dir():
            # Hundreds of megabytes that `terraform init` then finds in place.
            (copy / _PROVIDERS).parent.mkdir()
            (copy / _PROVIDERS).symlink_to((infra / _PROVIDERS).resolve())
        for where, text in overrides.items():
            (copy / where / OVERRIDE).write_text(text, encoding="utf-8")
        yield copy
    finally:
        if not (copy / _ERRORED).exists():
            shutil.rmtree(folder)
