"""The main job on the running stack: publish, verify and fetch real models, bytes identical."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from tests.e2e.client import Client, digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

MIB = 1 << 20


def published(client: Client, model: str, folder: Path, **draft: Any) -> dict[str, Any]:
    """Publish a folder and wait for the verdict, which must be good."""
    version = client.publish(model, client.upload(model, folder), **draft)
    settled = client.settled(model, version["version"])
    assert (settled["state"], settled["reason"]) == ("available", None)
    return settled


def test_a_scikit_learn_model_comes_back_and_predicts_the_same(
    stack: Stack, model: str, tmp_path: Path
) -> None:
    """What compliance fetches of a data scientist's model loads and predicts exactly as before."""
    rows, labels = load_breast_cancer(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=10, random_state=7).fit(rows, labels)
    folder = tmp_path / "out"
    folder.mkdir()
    joblib.dump(forest, folder / "model.joblib")
    (folder / "README.md").write_text("a forest", encoding="utf-8")
    (folder / "empty").touch()
    published(stack.user("ds-fraud"), model, folder, metadata={"framework": "scikit-learn"})
    stack.user("compliance").fetch(model, "latest", tmp_path / "in")
    loaded = joblib.load(tmp_path / "in" / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(rows), forest.predict_proba(rows))
    assert (tmp_path / "in" / "empty").stat().st_size == 0


def test_a_directory_of_safetensors_comes_back_identical(stack: Stack, model: str, tmp_path: Path) -> None:
    """Shards in folders, small and beyond 64 MiB; a second version sends only what changed."""
    random = np.random.default_rng(7)
    folder = tmp_path / "out"
    for name, size in (("a", 1), ("shards/b", 8), ("shards/deep/c", 70)):
        target = folder / f"{name}.safetensors"
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file({"w": random.standard_normal(size * MIB // 8)}, target)
    client = stack.user("ds-fraud")
    first = published(client, model, folder)
    client.fetch(model, 1, tmp_path / "in")
    for path in folder.rglob("*.safetensors"):
        twin = tmp_path / "in" / path.relative_to(folder)
        np.testing.assert_array_equal(load_file(twin)["w"], load_file(path)["w"])

    (folder / "config.json").write_text("{}", encoding="utf-8")
    wanted = [{"sha256": file["sha256"], "size": file["size"]} for file in first["files"]]
    again = client.expect(200, "POST", f"/v1/models/{model}/uploads", {"files": wanted})
    assert {file["state"] for file in again["files"]} == {"stored"}
    second = published(client, model, folder)
    assert second["version"] == 2
    pins = {file["path"]: file["s3_version_id"] for file in second["files"]}
    assert all(pins[file["path"]] == file["s3_version_id"] for file in first["files"])


def test_one_file_of_a_gibibyte_comes_back_identical(stack: Stack, model: str, tmp_path: Path) -> None:
    """1 GiB in parts, verified by reading it, fetched whole."""
    folder = tmp_path / "out"
    folder.mkdir()
    block = os.urandom(16 * MIB)
    with (folder / "weights.bin").open("wb") as file:
        for n in range(64):
            file.write(n.to_bytes(8, "big") + block[8:])
    client = stack.user("ds-fraud")
    version = client.publish(model, client.upload(model, folder))
    assert client.settled(model, version["version"], seconds=120)["state"] == "available"
    client.fetch(model, "latest", tmp_path / "in")
    assert digest_of(tmp_path / "in" / "weights.bin") == digest_of(folder / "weights.bin")


def test_an_interrupted_upload_is_continued_by_a_colleague(stack: Stack, model: str, tmp_path: Path) -> None:
    """Whoever of the team asks for the same bytes finds the parts that are there and sends only the rest."""
    path = tmp_path / "big.bin"
    path.write_bytes(os.urandom(150 * MIB))
    wanted = {"files": [{"sha256": digest_of(path), "size": path.stat().st_size}]}
    first, second = stack.user("ds-fraud"), stack.user("ds-fraud-2")
    (begun,) = first.expect(200, "POST", f"/v1/models/{model}/uploads", wanted)["files"]
    sent = first.send_parts(model, begun, path, limit=2)
    (found,) = second.expect(200, "POST", f"/v1/models/{model}/uploads", wanted)["files"]
    assert found == begun
    rest = second.send_parts(model, found, path)
    assert sorted(sent + rest) == list(range(1, begun["part_count"] + 1))
    held = second.parts(model, found)
    for _ in range(2):
        assert second.complete(model, found, held)["state"] == "received"
    files = [{"path": "big.bin", **wanted["files"][0]}]
    version = second.publish(model, files)
    assert second.settled(model, version["version"])["state"] == "available"


def test_wrong_bytes_never_become_readable(stack: Stack, model: str, tmp_path: Path) -> None:
    """Multipart bytes that are not what their digest says are rejected, and nobody gets a URL to them."""
    path = tmp_path / "big.bin"
    path.write_bytes(os.urandom(70 * MIB))
    claimed = {"sha256": "0" * 64, "size": path.stat().st_size}
    client = stack.user("ds-fraud")
    (begun,) = client.expect(200, "POST", f"/v1/models/{model}/uploads", {"files": [claimed]})["files"]
    client.send_parts(model, begun, path)
    client.complete(model, begun)
    version = client.publish(model, [{"path": "big.bin", **claimed}])
    settled = client.settled(model, version["version"])
    assert settled["state"] == "rejected"
    assert "big.bin" in settled["reason"]
    reply = client.call("GET", f"/v1/models/{model}/versions/1/files/big.bin")
    assert (reply.status, reply.body["code"]) == (423, "quarantined")


def test_twenty_publishers_get_twenty_consecutive_numbers(stack: Stack, model: str, tmp_path: Path) -> None:
    """Two people with ten processes each publish at once."""
    (tmp_path / "x").write_bytes(b"shared bytes")
    clients = [stack.user(name) for name in ("ds-fraud", "ds-fraud-2")]
    files = clients[0].upload(model, tmp_path)
    with ThreadPoolExecutor(20) as threads:
        versions = list(
            threads.map(lambda n: clients[n % 2].publish(model, files, message=f"run {n}"), range(20))
        )
    assert sorted(version["version"] for version in versions) == list(range(1, 21))
    for version in versions:
        assert clients[0].settled(model, version["version"])["state"] == "available"


def test_deployers_read_exactly_what_production_points_to(stack: Stack, model: str, tmp_path: Path) -> None:
    """Person and machine alike: served after the approver's move, refused once it moved on."""
    scientist, approver = stack.user("ds-fraud"), stack.user("approver-fraud")
    for n in (1, 2):
        folder = tmp_path / str(n)
        folder.mkdir()
        (folder / "model.bin").write_bytes(b"version %d" % n)
        published(scientist, model, folder)
    alias = f"/v1/models/{model}/aliases/production"
    scientist.expect(403, "PUT", alias, {"version": 1})
    for number in (1, 2):
        approver.expect(200, "PUT", alias, {"version": number})
        for deployer in (stack.user("deployer-fraud"), stack.machine()):
            path = f"/v1/models/{model}/versions/production/files/model.bin"
            reply = deployer.call("GET", path)
            for _ in range(100):
                if reply.status != 423:
                    break
                reply = deployer.call("GET", path)
            assert reply.status == 302, reply.body
            body = deployer.http.request("GET", reply.headers["Location"])
            assert (body.status, body.data) == (200, b"version %d" % number)
            other = f"/v1/models/{model}/versions/{3 - number}/files/model.bin"
            deployer.expect(403, "GET", other)


def test_another_team_sees_nothing(stack: Stack, model: str, tmp_path: Path) -> None:
    """A data scientist of another team can neither read, list nor add to the model."""
    (tmp_path / "x").write_bytes(b"x")
    published(stack.user("ds-fraud"), model, tmp_path)
    stranger = stack.user("ds-nlp")
    stranger.expect(404, "GET", f"/v1/models/{model}")
    stranger.expect(404, "POST", f"/v1/models/{model}/versions/1/downloads", {"paths": None})
    stranger.expect(404, "POST", f"/v1/models/{model}/uploads", {"files": [{"sha256": "0" * 64, "size": 1}]})
    listed = stranger.expect(200, "GET", "/v1/models?limit=1000")["items"]
    assert model not in [item["id"] for item in listed]


def test_a_url_is_for_one_version_of_one_object(stack: Stack, model: str, tmp_path: Path) -> None:
    """Changing anything of a presigned URL ends in S3's refusal, as does asking without one."""
    (tmp_path / "x").write_bytes(b"x")
    published(stack.user("ds-fraud"), model, tmp_path)
    client = stack.user("ds-fraud")
    url = client.expect(200, "GET", f"/v1/models/{model}/versions/1/files/x?redirect=false")["url"]
    assert client.http.request("GET", url).data == b"x"
    for forged in (
        url.replace("versionId=", "versionId=x"),
        url.replace("/fraud/", "/nlp/"),
        url[:-4] + "beef",
    ):
        assert client.http.request("GET", forged).status == 403
    assert client.http.request("PUT", url, body=b"y").status == 403
