"""Invoke a function with an event, by hand: ``make invoke EVENT=tests/events/download_event.json``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.image.containers import ContainerFunction
from tests.image.environments import PROFILES, of_function
from tests.image.events import EVENTS, load
from tests.image.function import FunctionFailed, LambdaFunction
from tests.local_aws import LocalStack

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = """\
The function runs as Lambda runs it: the runtime client's process over a Runtime API of this program, with the
role's credentials, against the local stack (start it with `make up`). Its log goes to stderr, its answer to
stdout.

`${token:ds-fraud}` in an event becomes a fresh access token of that local user. The download events fetch the
model that `make demo` publishes.

examples:
  make invoke EVENT=tests/events/download_event.json
  make invoke EVENT=tests/events/sqs_event.json FUNCTION=verifier
"""
USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if the function answered, 1 if it or the stack failed, 2 if called wrongly."""
    options = _parser().parse_args(arguments)
    stack = LocalStack(Path(options.state).absolute())
    if not (stack.state / "service.env").exists():
        print("The local stack is not running; start it with `make up`.", file=sys.stderr)
        return 1
    if not options.event.is_file():
        known = ", ".join(sorted(path.name for path in EVENTS.glob("*.json")))
        print(f"There is no file {options.event}; tests/events holds {known}.", file=sys.stderr)
        return USAGE_ERROR
    event = load(options.event, stack.token)
    environment = of_function(stack, options.function)
    handler = f"service.lambda_handler.{options.function}"
    with (
        ContainerFunction(options.image, handler, environment)
        if options.image
        else LambdaFunction(handler, environment)
    ) as function:
        try:
            outcome = function.invoke(event, seconds=options.seconds)
        except FunctionFailed as failure:
            print(f"The function failed: {failure}.", file=sys.stderr)
            return 1
        finally:
            sys.stderr.write(function.log())
    print(json.dumps(outcome.payload, indent=2, ensure_ascii=False))
    return 0 if outcome.error_type is None else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make invoke",
        description="Invoke a function of the store with an event.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("event", type=Path, metavar="EVENT", help="the event, a JSON file")
    parser.add_argument(
        "--function", choices=list(PROFILES), default="api", help="which function (default: api)"
    )
    parser.add_argument("--image", metavar="TAG", help="run it from this image (default: from the tree)")
    parser.add_argument(
        "--seconds", type=float, default=30, metavar="S", help="its time-out (default: 30, as API Gateway's)"
    )
    parser.add_argument("--state", default=".smas", metavar="DIR", help="the stack (default: .smas)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
