"""The API at a stage of its gateway: what it answers leads back to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from service.aws_lambda.http import HttpFunction
from service.aws_lambda.invocation import InvocationIds
from tests.image.events import http_event
from tests.image.test_http_function import Now

if TYPE_CHECKING:
    from tests.web.conftest import Site


@pytest.mark.parametrize("stage", ["$default", "prod"])
def test_a_published_versions_location_is_where_it_is_read(site: Site, stage: str) -> None:
    """A named stage stands before every path at the API's own address, so also before this one."""
    function = HttpFunction(site.app, InvocationIds())
    user = site.user("ds-fraud")
    files = user.upload("fraud/m", b"weights")
    root = "" if stage == "$default" else f"/{stage}"

    def asked(method: str, path: str, body: object = None) -> dict[str, Any]:
        event = http_event(method, path, body, authorization=f"Bearer {user.token}")
        event["requestContext"]["stage"] = stage
        return function(event, Now())

    published = asked("POST", f"{root}/v1/models/fraud/m/versions", {"files": files})
    assert published["statusCode"] == 201
    assert published["headers"]["location"] == f"{root}/v1/models/fraud/m/versions/1"
    read = asked("GET", published["headers"]["location"])
    assert json.loads(read["body"])["version"] == 1
