"""Prints keys of a function's role, as boto3's `credential_process` wants them.

`python -m smas_emulator.function_session ENDPOINT ROLE TOKEN_FILE`; Lambda gives a function the same in its
environment. https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path

PATH = "/_smas/functions"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def main() -> int:
    """Ask the local AWS and print its answer; 1 and a sentence when it refuses or is not there."""
    endpoint, role, token_file = sys.argv[1:]
    token = Path(token_file).read_text(encoding="ascii")
    url, told = f"{endpoint}{PATH}/{role}", {"Authorization": token}
    request = urllib.request.Request(url, method="POST", headers=told)  # noqa: S310 - an address we were given
    try:
        with _DIRECT.open(request, timeout=10) as answer:
            print(answer.read().decode())
    except urllib.error.HTTPError as error:
        print(f"no session of {role}: {error.code} {error.read().decode()}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"no session of {role}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
