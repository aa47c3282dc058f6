"""The image of the functions: built from a commit, pushed once, named by its digest."""

from __future__ import annotations

import base64
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from deployment import programs
from deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deployment.account import Account
    from deployment.configuration import Configuration
    from deployment.terraform import Resource

# What infra/lambda.tf asks for.
_PLATFORM: Final = "linux/amd64"
_SHORT: Final = 12
_NOT_THERE: Final = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})
_BY_DIGEST: Final = re.compile(
    r"(?P<registry>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
    r"/(?P<repository>[a-z0-9/_.-]+)@(?P<digest>sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What the image is built from. `tag` names it: the commit, and what differs from the commit."""

    folder: Path
    commit: str
    tag: str
    time: str
    dirty: bool


def read_source(folder: Path, environment: Mapping[str, str]) -> Source:
    """The tree as it is in `folder`."""
    programs.require("git", environment, "the image is named by its commit")
    commit = _git(folder, environment, "rev-parse", "HEAD")
    time = _git(folder, environment, "log", "-1", "--format=%ct")
    clean = _git(folder, environment, "rev-parse", "HEAD^{tree}")
    with tempfile.TemporaryDirectory(prefix="smas-index-") as scratch:
        # An index of its own: the user's stays as it is.
        apart = {**environment, "GIT_INDEX_FILE": str(Path(scratch) / "index")}
        _git(folder, apart, "read-tree", "HEAD")
        _git(folder, apart, "add", "--all")
        tree = _git(folder, apart, "write-tree")
    dirty = tree != clean
    tag = f"{commit[:_SHORT]}-dirty-{tree[:_SHORT]}" if dirty else commit[:_SHORT]
    return Source(folder=folder, commit=commit, tag=tag, time=time, dirty=dirty)


def pushed(account: Account, configuration: Configuration, source: Source) -> str | None:
    """The image of this source in the store's repository, by digest; None where it is not there."""
    digest = _digest(account, configuration.name, {"imageTag": source.tag})
    if digest is None:
        return None
    registry = f"{account.id}.dkr.ecr.{configuration.region}.{_suffix(configuration.region)}"
    return f"{registry}/{configuration.name}@{digest}"


def deployed(resources: Iterable[Resource]) -> str | None:
    """The image that the functions of a state run."""
    return next(
        (str(each.values["image_uri"]) for each in resources if each.type == "aws_lambda_function"), None
    )


def require_pushed(account: Account, configuration: Configuration, image: str) -> None:
    """Raise unless this image, which somebody else pushed, is there, and in the store's region."""
    named = _BY_DIGEST.fullmatch(image)
    if named is None:
        message = (
            f"{image} does not name an image in ECR by its digest: "
            "<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<64 hexadecimal digits>."
        )
        raise DeploymentError(message)
    if named["region"] != configuration.region:
        message = (
            f"{image} is in {named['region']}, and Lambda runs images of its own region alone: push it to "
            f"{configuration.region}, or leave IMAGE out and it is built here."
        )
        raise DeploymentError(message)
    aws = account.client("ecr", named["region"])
    asked = {"registryId": named["registry"], "repositoryName": named["repository"]}
    try:
        found = aws.batch_get_image(**asked, imageIds=[{"imageDigest": named["digest"]}])["images"]
    except ClientError as error:
        message = (
            f"{image} cannot be looked up ({error.response['Error']['Code']}): its repository has to let "
            "these credentials read it."
        )
        raise DeploymentError(message) from error
    if not found:
        message = f"There is no image {image}: push it first, or leave IMAGE out and it is built here."
        raise DeploymentError(message)


def push(
    account: Account,
    configuration: Configuration,
    source: Source,
    environment: Mapping[str, str],
    base: str | None = None,
) -> str:
    """Build the image and push it, unless it is there already; its name by digest."""
    there = pushed(account, configuration, source)
    if there is not None:
        return there
    registry = f"{account.id}.dkr.ecr.{configuration.region}.{_suffix(configuration.region)}"
    name = f"{registry}/{configuration.name}:{source.tag}"
    _build(name, source, environment, base)
    with tempfile.TemporaryDirectory(prefix="smas-docker-") as folder:
        # The password of a registry, good for twelve hours, stays out of the user's own configuration.
        docker = ["docker", "--config", folder]
        apart = {**environment, **_engine(environment)}
        _sign_in(docker, registry, account, apart)
        if programs.show([*docker, "push", name], apart) != 0:
            message = f"docker push {name} failed, and says above why; what was pushed of it is kept."
            raise DeploymentError(message)
    there = pushed(account, configuration, source)
    if there is None:
        message = f"{name} was pushed, and ECR does not have it: run the same command again."
        raise DeploymentError(message)
    return there


def _build(name: str, source: Source, environment: Mapping[str, str], base: str | None) -> None:
    command = ["docker", "build", "--platform", _PLATFORM, "--tag", name]
    revision = source.tag if source.dirty else source.commit
    command += ["--build-arg", f"REVISION={revision}", "--build-arg", f"SOURCE_DATE_EPOCH={source.time}"]
    command += ["--build-arg", f"BASE={base}"] if base else []
    # One manifest, not an index with attestations beside it: Lambda takes no other.
    settings = {**environment, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    if programs.show([*command, str(source.folder)], settings) != 0:
        message = "docker build failed, and says above why. BASE=… names another base image."
        raise DeploymentError(message)


def _sign_in(docker: list[str], registry: str, account: Account, environment: Mapping[str, str]) -> None:
    given = account.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, password = base64.b64decode(given).decode().split(":", 1)
    ended = programs.ask(
        [*docker, "login", "--username", user, "--password-stdin", registry], environment, stdin=password
    )
    if ended.code != 0:
        message = f"docker cannot sign in at {registry} ({ended.last_words}): run the same command again."
        raise DeploymentError(message)


def _engine(environment: Mapping[str, str]) -> dict[str, str]:
    """Where the user's docker finds its engine, for one that does not read the user's configuration."""
    if environment.get("DOCKER_HOST"):
        return {}
    ended = programs.ask(
        ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], environment
    )
    return {"DOCKER_HOST": ended.output.strip()} if ended.code == 0 and ended.output.strip() else {}


def _digest(account: Account, repository: str, image: dict[str, str]) -> str | None:
    aws = account.client("ecr")
    try:
        found = aws.describe_images(repositoryName=repository, imageIds=[image])["imageDetails"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _NOT_THERE:
            return None
        message = (
            f"ECR does not say which images {repository} has ({code}): take credentials that may read it."
        )
        raise DeploymentError(message) from error
    return str(found[0]["imageDigest"]) if found else None


def _git(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    ended = programs.ask(["git", "-C", str(folder), *arguments], environment)
    if ended.code != 0:
        message = f"git {arguments[0]} failed: {ended.last_words}. The image is named by its commit."
        raise DeploymentError(message)
    return ended.output.strip()


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
