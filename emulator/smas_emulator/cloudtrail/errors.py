"""CloudTrail's errors, with the status that the service's own model gives them."""

from __future__ import annotations

from functools import lru_cache

import botocore.session

from smas_emulator.gateway.errors import AwsError


def trail_error(name: str, message: str) -> AwsError:
    """The error `name` (`TrailNotFoundException`). Raises `LookupError` for one CloudTrail does not have."""
    return AwsError(name, message, _status(name))


@lru_cache(maxsize=128)
def _status(name: str) -> int:
    model = botocore.session.get_session().get_service_model("cloudtrail")
    if name not in model.shape_names:
        msg = f"CloudTrail has no error {name}"
        raise LookupError(msg)
    return int(model.shape_for(name).metadata.get("error", {}).get("httpStatusCode", 400))
