"""The deployed API, as users have it: is it there, whom does it let in, does a model come back as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import urllib3

from tests.e2e.smas_command import Smas

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws.deployed import Deployed, Person
    from tests.aws.leftovers import Leftovers

HTTP = urllib3.PoolManager(retries=False, timeout=30)


@pytest.fixture
def smas(deployed: Deployed, person: Person, tmp_path: Path) -> Smas:
    """The command, in the name of who is signed in."""
    return Smas(tmp_path / "home", {"SMAS_STORE": deployed.url, "SMAS_TOKEN": person.token})


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/openapi.json", "/.well-known/oauth-protected-resource"]
)
def test_what_is_open_answers(deployed: Deployed, path: str) -> None:
    """To everybody; and `/readyz` says that key set, STS and S3 answer."""
    said = HTTP.request("GET", f"{deployed.url}{path}")
    assert said.status == 200, said.data
    assert said.json()


def refusals(person: Person) -> dict[str, str | None]:
    """What is no good token."""
    head, claims, signature = person.token.split(".")
    return {
        "none": None,
        "a broken signature": f"{head}.{claims}.{signature[::-1]}",
        "no signature": f"{head}.{claims}.",
        "no token": "anything",
    }


@pytest.mark.parametrize("path", ["/v1/whoami", "/v1/models"])
def test_nobody_comes_in_without_a_token(deployed: Deployed, person: Person, path: str) -> None:
    """Nor with one that was changed; with the one that was given they do."""
    good = HTTP.request("GET", f"{deployed.url}{path}", headers={"Authorization": f"Bearer {person.token}"})
    assert good.status == 200
    for why, token in refusals(person).items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        said = HTTP.request("GET", f"{deployed.url}{path}", headers=headers)
        assert said.status == 401, why
        assert said.headers["WWW-Authenticate"].startswith("Bearer"), why


def test_a_bad_token_is_refused_before_a_function_runs(deployed: Deployed, person: Person) -> None:
    """The gateway's authorizer answers, in its own words, and the service does not say a thing."""
    if not deployed.is_aws:
        pytest.skip("no gateway stands before the local service, which refuses by itself")
    for token in refusals(person).values():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        said = HTTP.request("GET", f"{deployed.url}/v1/whoami", headers=headers)
        assert said.status == 401
        assert json.loads(said.data) == {"message": "Unauthorized"}


def test_a_token_says_who_it_is_and_what_they_may(deployed: Deployed, person: Person) -> None:
    """The pool's user, by id and name; groups became roles, on the way through the trigger into the token."""
    headers = {"Authorization": f"Bearer {person.token}"}
    said = HTTP.request("GET", f"{deployed.url}/v1/whoami", headers=headers).json()
    about = {"UserPoolId": deployed.stack["user_pool_id"], "Username": person.name}
    user = deployed.root_client("cognito-idp").admin_get_user(**about)
    (subject,) = [each["Value"] for each in user["UserAttributes"] if each["Name"] == "sub"]
    assert (said["subject"], said["username"]) == (subject, person.name)
    assert said["roles"] == [{"role": "data-scientist", "team": person.team}]


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name, without what `smas` notes down beside them."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_model_comes_back_as_it_was_published(
    smas: Smas, person: Person, leftovers: Leftovers, tmp_path: Path
) -> None:
    """Pushed, verified by the deployed verifier and pulled by `smas`; and another team's is not there."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"a model of " + leftovers.run.encode())
    (folder / "a name with spaces+and%20more.txt").write_text("as it is", encoding="utf-8")
    model = f"{person.team}/{leftovers.seen}"
    assert smas.text("push", folder, model, "--message", "a test of the deployed store").endswith(
        f"{model}@1"
    )
    smas.text("pull", f"{model}@1", tmp_path / "in")
    assert contents(tmp_path / "in") == contents(folder)
    stranger = smas.run("pull", f"nlp/{leftovers.seen}", tmp_path / "out")
    assert stranger.returncode != 0
    assert "nlp" in stranger.stderr
