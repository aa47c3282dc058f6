"""Deploy the secure model artifact store to AWS, look after it, and take it away again.

plan      show what a deployment would change; changes nothing, anywhere
deploy    from an empty account, or an older version, to a store that answers
destroy   take a store away, but never what Object Lock or a legal hold protects
rehearse  all of this on this machine, on emulators of AWS

access-review       who may do what, user by role
bar, unbar, barred  end somebody's access at once, and who is barred
check-store         whether what the bucket, or its copy, holds is whole
restore             bring back an object that was hidden, written over, moved or destroyed
failover            let the store in a second region take over the copy
rotate-key          new material for a key of KMS
rotate-secret       a new secret for a machine
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from deployment import (
    access_review,
    account,
    check_store,
    deploy,
    destroy,
    failover,
    offboarding,
    plan,
    rehearse,
    restore,
    rotation,
)
from deployment.errors import DeploymentError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

# Each adds its parser by `add_parser(subparsers)`, which names its `run(arguments) -> int`.
COMMANDS: Final[tuple[ModuleType, ...]] = (
    plan,
    deploy,
    destroy,
    rehearse,
    access_review,
    offboarding,
    check_store,
    restore,
    failover,
    rotation,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0: done, 1: it could not be, 2: called wrongly, 130: broken off."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Interrupted as error:
        print(error, file=sys.stderr)
        return 128 + signal.SIGINT
    except DeploymentError as error:
        print(error, file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError) as error:
        print(account.explain(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deployment",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


if __name__ == "__main__":
    # A polite kill, as a pipeline's, is an interrupt, and so is a terminal that goes away: what was made for
    # a moment is taken away. What is ignored already (nohup) stays so.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    sys.exit(main())
