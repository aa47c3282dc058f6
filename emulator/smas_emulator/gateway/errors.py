"""An error as AWS answers it."""

from __future__ import annotations


class AwsError(Exception):
    """An answer of AWS that is an error: its `code` (`AccessDenied`), `message` and HTTP `status`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
