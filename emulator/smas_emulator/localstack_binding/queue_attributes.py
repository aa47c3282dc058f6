"""SQS in LocalStack: what is set to nothing is taken away, also who may use a queue for dead letters."""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import functools
from typing import Any

from localstack.services.sqs.provider import SqsProvider

_REDRIVE_ALLOW_POLICY = "RedriveAllowPolicy"


def take_away_what_is_set_to_nothing() -> None:
    """Do with an empty `RedriveAllowPolicy` as LocalStack does with the other policies of a queue.

    Terraform sets it to nothing to destroy it, and waits until it is gone.
    """
    original = SqsProvider.set_queue_attributes

    @functools.wraps(original)
    def set_queue_attributes(
        provider: Any, context: Any, queue_url: str, attributes: dict[str, str], **named: Any
    ) -> None:
        original(provider, context, queue_url, attributes, **named)
        queue = provider._resolve_queue(context, queue_url=queue_url)  # noqa: SLF001 - as the original does
        if queue.attributes.get(_REDRIVE_ALLOW_POLICY) == "":
            del queue.attributes[_REDRIVE_ALLOW_POLICY]

    SqsProvider.set_queue_attributes = set_queue_attributes
