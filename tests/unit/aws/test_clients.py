"""Every client that the service makes can be made, without asking anybody."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import DataNotFoundError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader
from botocore.regions import EndpointResolver
from botocore.session import Session

from service.aws import clients
from service.aws.botocore_data import SERVICES, ServiceLoader, write
from service.settings import StorageSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

SETTINGS = StorageSettings(
    bucket="smas-models",
    region="eu-central-1",
    role_prefix="arn:aws:iam::000000000000:role/smas-",
    metadata_key_arn="arn:aws:kms:eu-central-1:000000000000:key/none",
)
EVENTS = ("before-parameter-build.s3.PutObject", "needs-retry.s3.GetObject", "before-call.s3.HeadObject")
KEYS = Credentials("a", "b")
SERVICE_DATA = ("service-2", "endpoint-rule-set-1")
MAKERS = {
    name: made
    for name, made in inspect.getmembers(clients, inspect.isfunction)
    if name.endswith("_client") and name != "_client"
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))
def test_each_service_is_known_to_the_loader(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which names those it looks for; at AWS's own address of the region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    credentials = (Credentials("a", "b"),) if "credentials" in inspect.signature(make).parameters else ()
    client = make(SETTINGS, *credentials)
    assert "eu-central-1" in client.meta.endpoint_url
    assert client.meta.region_name == "eu-central-1"


def test_there_are_clients_to_test() -> None:
    """Found by their names."""
    assert {"s3_client", "sts_client", "sqs_client", "cloudtrail_client", "logs_client"} <= set(MAKERS)


def test_an_endpoint_given_is_the_one_asked() -> None:
    """The local AWS, or the address that clients reach."""
    client = clients.s3_client(SETTINGS, Credentials("a", "b"), "http://localhost:1")
    assert client.meta.endpoint_url == "http://localhost:1"


def test_the_loader_reads_what_botocores_own_would_read() -> None:
    """Models, endpoint rules and the rest, to the order of their members."""
    ours, theirs = ServiceLoader(), Loader()
    read = [(service, kind) for service in SERVICES for kind in SERVICE_DATA]
    assert len(read) == 10
    for service, kind in read:
        assert json.dumps(ours.load_service_model(service, kind)) == json.dumps(
            theirs.load_service_model(service, kind)
        )
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        assert json.dumps(ours.load_data(name)) == json.dumps(theirs.load_data(name))
    assert ours.determine_latest_version("s3", "service-2") == theirs.determine_latest_version(
        "s3", "service-2"
    )
    with pytest.raises(DataNotFoundError):
        ours.load_data("nothing")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder that an image has."""
    folder = tmp_path_factory.mktemp("botocore_data")
    write(folder)
    return str(folder)


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_written_for_an_image_says_the_same(written: str, service: str) -> None:
    """Of operations, shapes and rules all but their documentation is there; what is not written, too."""
    ours, theirs = ServiceLoader(written), Loader()
    for kind in SERVICE_DATA:
        mine, full = ours.load_service_model(service, kind), theirs.load_service_model(service, kind)
        assert list(mine) == list(full)
        assert mine == without_texts(full, mine)
        assert len(json.dumps(mine)) < len(json.dumps(full)) or kind != "service-2"
    assert ours.load_service_model(service, "paginators-1") == theirs.load_service_model(
        service, "paginators-1"
    )


def without_texts(value: Any, kept: Any) -> Any:
    """``value`` without the documentation that ``kept`` does not have."""
    if isinstance(value, dict):
        gone = {"documentation"} - set(kept) if isinstance(value.get("documentation"), str) else set()
        return {name: without_texts(inner, kept[name]) for name, inner in value.items() if name not in gone}
    if isinstance(value, list):
        return [without_texts(inner, beside) for inner, beside in zip(value, kept, strict=True)]
    return value


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1"])
def test_what_is_written_for_an_image_knows_the_same_endpoints(written: str, region: str) -> None:
    """In every partition of AWS's."""
    ours, theirs = (
        EndpointResolver(loader.load_data("endpoints")) for loader in (ServiceLoader(written), Loader())
    )
    for service in SERVICES:
        assert ours.construct_endpoint(service, region) == theirs.construct_endpoint(service, region)
        assert ours.get_available_endpoints(service) == theirs.get_available_endpoints(service)
    assert ours.get_available_partitions() == theirs.get_available_partitions()


def test_clients_read_what_is_written_for_an_image(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where AWS's own variable says that it is; botocore's is beside it for all else."""
    monkeypatch.setenv("AWS_DATA_PATH", written)
    client = clients.s3_client(SETTINGS, KEYS)
    model = client.meta.service_model
    assert (model.documentation, model.operation_model("GetObject").documentation) != ("", "")
    assert model.operation_model("GetObject").documentation == ""
    assert client.get_paginator("list_objects_v2").result_keys


@pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))
def test_clients_have_all_handlers_that_botocore_has_for_them(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens to whichever operation calls the same, in the same order."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    ours = make(SETTINGS, *((KEYS,) if "credentials" in inspect.signature(make).parameters else ()))
    model = ours.meta.service_model
    theirs = Session().create_client(model.service_name, "eu-central-1")
    happenings = {event.partition(".")[0] for event, *_ in BUILTIN_HANDLERS} - {"docs"}
    service = model.service_id.hyphenize()
    for happening in happenings:
        assert called(ours, f"{happening}.{service}") == called(theirs, f"{happening}.{service}")
        for operation in model.operation_names:
            event = f"{happening}.{service}.{operation}"
            assert called(ours, event) == called(theirs, event)


def test_clients_share_their_handlers_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client has all that a session of botocore's own would give it; what one registers, no other sees."""
    ours = clients.s3_client(SETTINGS, Credentials("ours", "secret"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "theirs")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    theirs = Session().create_client("s3", "eu-central-1")
    another = clients.s3_client(SETTINGS, Credentials("another", "secret"))

    for event in EVENTS:
        assert handlers(ours, event) == handlers(theirs, event) != set()
    ours.meta.events.register(EVENTS[0], on_event)
    assert on_event.__qualname__ in handlers(ours, EVENTS[0])
    assert handlers(another, EVENTS[0]) == handlers(clients.s3_client(SETTINGS, KEYS), EVENTS[0])
    assert on_event.__qualname__ not in handlers(another, EVENTS[0])
    for client, name in ((ours, "ours"), (another, "another"), (theirs, "theirs")):
        assert name in cast("S3Client", client).generate_presigned_url("list_buckets")


def on_event(**_: object) -> None:
    """What a client could register."""


def handlers(client: Any, event: str) -> set[str]:
    """The names of the functions that an event calls; each client has methods of its own objects."""
    return set(called(client, event))


def called(client: Any, event: str) -> list[str]:
    """The same, in the order in which they are called."""
    return [each.__qualname__ for each in client.meta.events._emitter._handlers.prefix_search(event)]
