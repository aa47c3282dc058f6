"""The bucket's notifications, from SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from service.aws.failures import translated
from service.ports import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# How long a received message stays hidden; the consumer keeps hiding it while it works, so that the
# message of a killed worker comes back soon.
HIDDEN_SECONDS: Final = 60


class SqsEvents(msgspec.Struct, frozen=True):
    """``Events`` from one queue, with the process's own credentials."""

    client: SQSClient
    queue_url: str

    def receive(self, limit: int, wait_seconds: int) -> list[Message]:
        """See ``Events.receive``."""
        with translated("SQS"):
            answer = self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=HIDDEN_SECONDS,
            )
        return [Message(item["Body"], item["ReceiptHandle"]) for item in answer.get("Messages", [])]

    def keep(self, message: Message, seconds: int) -> None:
        """See ``Events.keep``."""
        with translated("SQS"):
            self.client.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )

    def delete(self, message: Message) -> None:
        """See ``Events.delete``."""
        with translated("SQS"):
            self.client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message.receipt)
