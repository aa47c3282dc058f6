"""AWS in memory, as far as a command asks it: botocore's own clients, whose calls end in functions.

So names of operations, their parameters and pages are botocore's, and no socket is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    Operation = Callable[[dict[str, Any]], dict[str, Any]]

# One for all, because it keeps what it has read of AWS's services.
_SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")


@dataclass
class FakeAws:
    """What clients of `deployment.store.Aws` are, each operation of a service answered by a function."""

    operations: dict[str, Operation] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def client(self, service: str, region: str | None = None) -> Any:
        """A client that asks nobody but the functions."""
        client: Any = _SESSION.client(service, region_name=region or "eu-central-1")  # type: ignore[call-overload]
        client.meta.events.register("provide-client-params", self._remember)
        client.meta.events.register("before-call", self._answer)
        return client

    def _remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        self.calls.append(model.name)
        said = self.operations[model.name](dict(context["asked"]))
        return AWSResponse("https://aws.example", 200, HTTPHeaders(), None), said


def refusal(code: str) -> ClientError:
    """What AWS answers to what it does not do."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


def paged(items: list[Any], asked: dict[str, Any], name: str, token: str, size: int) -> dict[str, Any]:
    """One page of a list, and the token of the next."""
    begin = int(asked.get(token, "0"))
    said: dict[str, Any] = {name: items[begin : begin + size]}
    if begin + size < len(items):
        said[token] = str(begin + size)
    return said
