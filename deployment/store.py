"""Which store a command is about: where its things are, and clients of AWS that reach them.

On AWS, Terraform's outputs say it, and credentials come as they do for every AWS client (`AWS_PROFILE`,
`AWS_ENDPOINT_URL` for a rehearsal). `--local` is the local stack that `make up` started.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from deployment import bootstrap, options
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

_ROLE_PREFIX: Final = re.compile(
    r"arn:(?P<partition>[a-z-]+):iam::(?P<account>\d{12}):role/(?P<name>[\w-]+)-"
)
# Many pages are read one after the other, and Cognito allows some ten lists a second: be patient.
_PATIENT: Final = Config(retries={"mode": "standard", "max_attempts": 10}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of the models' bucket in a second region."""

    bucket: str
    region: str


@dataclass(frozen=True, slots=True)
class Store:
    """A store's names. `infra` is its configuration, None for the local stack, which has none."""

    name: str
    partition: str
    account: str
    region: str
    bucket: str
    user_pool_id: str
    copy: Copy | None = None
    provider_groups: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)
    infra: Path | None = None

    def role(self, name: str) -> str:
        """The name of a role of this store, as `service` or a persona's."""
        return f"{self.name}-{name}"


class Aws:
    """Clients for one account, each made once."""

    def __init__(
        self, region: str, session: boto3.Session | None = None, endpoint: str | None = None
    ) -> None:
        self._session = session or boto3.Session()
        self._endpoint = endpoint
        self._region = region
        self._made: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of a service, in the store's own region unless told."""
        where = (service, region or self._region)
        if where not in self._made:
            # No proxy stands before an endpoint on this machine.
            config = _PATIENT.merge(Config(proxies={})) if self._endpoint else _PATIENT
            self._made[where] = self._session.client(
                service,  # type: ignore[call-overload]
                region_name=where[1],
                endpoint_url=self._endpoint,
                config=config,
            )
        return self._made[where]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say which store."""
    options.add_store_options(parser)
    parser.add_argument(
        "--local",
        type=Path,
        nargs="?",
        const=Path(".smas"),
        metavar="FOLDER",
        help="the local stack instead, which needs no variables, by its state directory (default: .smas)",
    )


def opened(arguments: argparse.Namespace) -> tuple[Store, Aws]:
    """The store that the options name. Raises `DeploymentError` when there is none."""
    if arguments.local is not None:
        return of_local_stack(arguments.local)
    configuration, account, terraform = options.read_store(arguments)
    backend = bootstrap.backend(configuration, account)
    if backend is None:
        message = (
            f"Nothing has been deployed to {configuration.region} of account {account.id}: there is no "
            f"bucket {bootstrap.state_bucket(configuration, account)}. Deploy first: make deploy"
        )
        raise DeploymentError(message)
    if not _initialised(configuration.infra, backend):
        terraform.init(backend)
    store = deployed(terraform.outputs(), configuration.infra)
    return store, Aws(store.region, account.session)


def _initialised(infra: Path, backend: Mapping[str, str]) -> bool:
    """Whether this state was the last one worked with here: then nobody in a hurry waits for `init`."""
    try:
        last = json.loads((infra / ".terraform" / "terraform.tfstate").read_text(encoding="utf-8"))
        known = last["backend"]["config"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return False
    return isinstance(known, dict) and all(
        known.get(name) == backend[name] for name in ("bucket", "key", "region")
    )


def deployed(outputs: Mapping[str, Any], infra: Path) -> Store:
    """The store whose Terraform outputs these are."""
    missing = {"service_settings", "user_pool_id", "copy", "provider_groups"} - set(outputs)
    if missing:
        message = (
            f"The state of {infra} has no output {min(missing)}: nothing has been deployed from there, "
            "or an older version. Deploy first: make deploy"
        )
        raise DeploymentError(message)
    settings = outputs["service_settings"]
    copy = outputs["copy"]
    return Store(
        **_names(settings["SMAS_ROLE_PREFIX"]),
        region=settings["AWS_REGION"],
        bucket=settings["SMAS_BUCKET"],
        user_pool_id=outputs["user_pool_id"],
        copy=Copy(copy["bucket"], copy["region"]) if copy else None,
        provider_groups=outputs["provider_groups"],
        infra=infra,
    )


def of_local_stack(state: Path) -> tuple[Store, Aws]:
    """The store of the local stack with this state directory, asked as the account itself."""
    try:
        stack = json.loads((state / "stack.json").read_text(encoding="utf-8"))
        lines = (state / "service.env").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        message = f"No local stack runs from {state}; start it with `make up`."
        raise DeploymentError(message) from None
    settings = dict(line.split("=", 1) for line in lines if line)
    store = Store(
        **_names(settings["SMAS_ROLE_PREFIX"]),
        region=stack["region"],
        bucket=stack["bucket"],
        user_pool_id=stack["user_pool_id"],
    )
    # The account itself, as `make aws` is: these keys protect nothing, for only this machine reaches it.
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")  # noqa: S106
    return store, Aws(store.region, session, stack["aws_endpoint"])


def _names(role_prefix: str) -> dict[str, Any]:
    """Partition, account and name of a store, from the ARN that its roles' begin with."""
    found = _ROLE_PREFIX.fullmatch(role_prefix)
    if found is None:
        message = f"SMAS_ROLE_PREFIX is {role_prefix!r}, which is not how the ARN of a role begins."
        raise DeploymentError(message)
    return found.groupdict()
