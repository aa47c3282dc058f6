"""Which image a tree makes: its tag says the commit, and whether the tree differs from it."""

from __future__ import annotations

import base64
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from deployment.account import Account
from deployment.configuration import Configuration
from deployment.errors import DeploymentError
from deployment.image import Source, deployed, push, read_source, require_pushed
from deployment.terraform import Resource
from tests.deployment.fake_aws import FakeAws, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Programs = Callable[[str, str], dict[str, str]]

DIGEST = "sha256:" + 64 * "a"
REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
# Notes what it is asked and with what secret, and where its engine would be; `push` makes the image be there.
DOCKER = """\
echo "$*" >> "$CALLS"
case "$*" in
    *" login "*) cat >> "$CALLS"; echo >> "$CALLS" ;;
    context*) echo unix:///somewhere ;;
    *" push "*) echo "engine $DOCKER_HOST" >> "$CALLS"; test -z "${BROKEN-}" && touch "$CALLS.pushed" ;;
esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "code").write_text("one\n", encoding="utf-8")
    (folder / ".gitignore").write_text("scratch\n", encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_clean_tree_is_its_commit(tree: Path) -> None:
    """What is ignored makes no difference."""
    (tree / "scratch").write_text("anything", encoding="utf-8")
    source = read_source(tree, os.environ)
    assert not source.dirty
    assert source.commit == git(tree, "rev-parse", "HEAD")
    assert source.tag == source.commit[:12]
    assert source.time == git(tree, "log", "-1", "--format=%ct")


@pytest.mark.parametrize("name", ["code", "new"])
def test_a_tree_that_differs_says_so_and_how(tree: Path, name: str) -> None:
    """Two different trees have two tags, for a tag is given once; the index stays as it is."""
    tags = {read_source(tree, os.environ).tag}
    for text in ("two\n", "three\n"):
        (tree / name).write_text(text, encoding="utf-8")
        source = read_source(tree, os.environ)
        assert source.dirty
        assert source.tag.startswith(f"{source.commit[:12]}-dirty-")
        tags.add(source.tag)
        assert source.tag == read_source(tree, os.environ).tag
    assert len(tags) == 3
    assert git(tree, "diff", "--cached", "--name-only") == ""


def test_outside_of_a_repository_it_says_why_one_is_needed(tmp_path: Path) -> None:
    """A commit is what names an image."""
    with pytest.raises(DeploymentError, match=r"git rev-parse failed: .* The image is named by its commit\."):
        read_source(tmp_path, {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})


def test_the_deployed_image_is_the_functions() -> None:
    """Whatever else the state has."""
    function = Resource(
        "aws_lambda_function.api", "aws_lambda_function", {"image_uri": "registry/smas@sha256:1"}
    )
    assert (
        deployed([Resource("aws_s3_bucket.models", "aws_s3_bucket", {}), function])
        == "registry/smas@sha256:1"
    )
    assert deployed([]) is None


@dataclass(frozen=True)
class Registry(Account):
    """An account whose ECR has what the docker of these tests pushed."""

    calls: Path = field(kw_only=True)

    def client(self, service: str, region: str | None = None) -> Any:
        """ECR, in memory."""
        token = base64.b64encode(b"AWS:one-time").decode()
        operations = {
            "DescribeImages": self._describe,
            "BatchGetImage": lambda asked: {
                "images": [each for each in asked["imageIds"] if each["imageDigest"] == DIGEST]
            },
            "GetAuthorizationToken": lambda _: {"authorizationData": [{"authorizationToken": token}]},
        }
        return FakeAws(operations).client(service, region)

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not self.calls.with_name(f"{self.calls.name}.pushed").exists():
            raise refusal("ImageNotFoundException")
        assert asked["imageIds"] == [{"imageTag": "0123456789ab"}]
        return {"imageDetails": [{"imageDigest": DIGEST}]}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry without an image."""
    return Registry("111122223333", "arn", boto3.session.Session(), calls=tmp_path / "calls")


def pushing(registry: Registry, environment: dict[str, str], tmp_path: Path) -> str:
    """Push the image of a commit."""
    store = Configuration(tmp_path, (), {}, "eu-central-1", "smas", None, {})
    source = Source(tmp_path, "0123456789abcdef", "0123456789ab", "1700000000", dirty=False)
    return push(registry, store, source, environment, "base:1")


def test_an_image_is_pushed_once_and_named_by_its_digest(
    registry: Registry, programs: Programs, tmp_path: Path
) -> None:
    """One that is there is neither built nor pushed again, and no password is an argument."""
    environment = programs("docker", DOCKER)
    name = f"{REGISTRY}/smas:0123456789ab"

    assert pushing(registry, environment, tmp_path) == f"{REGISTRY}/smas@{DIGEST}"

    build, context, login, password, pushed, engine = registry.calls.read_text(encoding="utf-8").splitlines()
    assert build == (
        f"build --platform linux/amd64 --tag {name} --build-arg REVISION=0123456789abcdef"
        f" --build-arg SOURCE_DATE_EPOCH=1700000000 --build-arg BASE=base:1 {tmp_path}"
    )
    assert context.startswith("context inspect")
    assert login.endswith(f" login --username AWS --password-stdin {REGISTRY}")
    assert password == "one-time"
    assert pushed.endswith(f" push {name}")
    assert pushed.startswith("--config /")
    assert engine == "engine unix:///somewhere"

    registry.calls.unlink()
    assert pushing(registry, environment, tmp_path) == f"{REGISTRY}/smas@{DIGEST}"
    assert not registry.calls.exists()


def test_a_push_that_fails_is_told(registry: Registry, programs: Programs, tmp_path: Path) -> None:
    """And can be repeated."""
    environment = programs("docker", DOCKER)
    with pytest.raises(DeploymentError, match=r"docker push .*/smas:0123456789ab failed"):
        pushing(registry, {**environment, "BROKEN": "1"}, tmp_path)
    assert pushing(registry, environment, tmp_path).endswith(DIGEST)


def test_an_image_of_somebody_elses_must_be_there(registry: Registry, tmp_path: Path) -> None:
    """By its digest, and before anything is changed."""
    store = Configuration(tmp_path, (), {}, "eu-central-1", "smas", None, {})
    require_pushed(registry, store, f"{REGISTRY}/smas@{DIGEST}")
    with pytest.raises(DeploymentError, match="There is no image"):
        require_pushed(registry, store, f"{REGISTRY}/smas@sha256:{64 * 'b'}")
    with pytest.raises(DeploymentError, match="does not name an image in ECR by its digest"):
        require_pushed(registry, store, f"{REGISTRY}/smas:latest")


def test_an_image_of_another_region_is_refused(registry: Registry, tmp_path: Path) -> None:
    """Lambda would, when all else had been made."""
    store = Configuration(tmp_path, (), {}, "eu-west-1", "smas", None, {})
    with pytest.raises(DeploymentError, match=r"is in eu-central-1, .* push it to eu-west-1"):
        require_pushed(registry, store, f"{REGISTRY}/smas@{DIGEST}")
