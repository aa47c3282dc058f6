"""Renders the IAM policy templates in `infra/policies/`, which Terraform renders with `templatefile`.

`string.Template` and `templatefile` agree on `${name}` for a placeholder and on `$${` for IAM's own `${`, and
templates use nothing else, so that what is tested locally is what is deployed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from string import Template
from typing import TYPE_CHECKING

from smas_emulator.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What a template may name: each field is one.

    `role_prefix` is an ARN up to and with `smas-`; `trail_prefix` is empty or ends in a slash;
    the ARNs of log groups have no `:*` at their end; `barred_identities` is a list, as JSON.
    """

    partition: str
    account: str
    region: str
    bucket: str
    bytes_key_arn: str
    metadata_key_arn: str
    logs_key_arn: str
    events_queue_arn: str
    service_role_arn: str
    worker_role_arn: str
    role_prefix: str
    trail_bucket: str
    trail_prefix: str
    trail_arn: str
    service_log_group_arn: str
    trail_log_group_arn: str
    barred_identities: str


@dataclass(frozen=True, slots=True)
class PolicyTemplates:
    """The templates of one folder and the values they are rendered with."""

    folder: Path
    placeholders: Placeholders

    def render(self, name: str) -> str:
        """Return the policy `name` (without `.json`) as compact JSON.

        Raises `StackError` naming the file when it is missing, names an unknown placeholder, has a stray `$`,
        or is not JSON.
        """
        return render_policy(self.folder / f"{name}.json", asdict(self.placeholders))


def render_policy(template: Path, values: Mapping[str, str]) -> str:
    """Render one template file strictly; see `PolicyTemplates.render`."""
    try:
        text = template.read_text(encoding="utf-8")
    except FileNotFoundError:
        msg = f"The policy template {template} is missing."
        raise StackError(msg) from None
    try:
        rendered = Template(text).substitute(values)
    except KeyError as error:
        known = ", ".join(sorted(values))
        msg = f"{template} names the unknown placeholder {error.args[0]!r}; known are {known}."
        raise StackError(msg) from None
    except ValueError as error:
        msg = f"{template} has a `$` that starts no placeholder ({error}); write `$$` for one."
        raise StackError(msg) from None
    try:
        return json.dumps(json.loads(rendered), separators=(",", ":"))
    except json.JSONDecodeError as error:
        msg = f"{template} is not JSON once rendered: {error}."
        raise StackError(msg) from None
