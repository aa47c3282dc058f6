"""A client of the store as anybody could write one from the contract: plain HTTP, nothing of ``service``."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20


def digest_of(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True)
class Reply:
    """Status, headers, and the body as JSON if it is any."""

    status: int
    headers: Any
    body: Any


@dataclass
class Client:
    """Requests in one caller's name."""

    base: str
    token: str
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=16, retries=False))

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """One request to the store; headers by name with ``_`` for ``-``."""
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        answer = self.http.request(method, self.base + path, body=data, headers=sent, redirect=False)
        is_json = "json" in answer.headers.get("Content-Type", "")
        return Reply(answer.status, answer.headers, json.loads(answer.data) if is_json else answer.data)

    def expect(self, status: int, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The body of a reply that must have ``status``."""
        reply = self.call(method, path, body, **headers)
        assert reply.status == status, (method, path, reply.status, reply.body)
        return reply.body

    def upload(self, model: str, folder: Path) -> list[dict[str, Any]]:
        """Send what the store does not hold yet of a folder; answers the files of a draft."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = [
            {
                "path": path.relative_to(folder).as_posix(),
                "sha256": digest_of(path),
                "size": path.stat().st_size,
            }
            for path in paths
        ]
        wanted = [{"sha256": file["sha256"], "size": file["size"]} for file in files]
        started = self.expect(200, "POST", f"/v1/models/{model}/uploads", {"files": wanted})["files"]
        for path, upload in zip(paths, started, strict=True):
            if upload["state"] == "single":
                answer = self.http.request(
                    upload["method"], upload["url"], body=path.read_bytes(), headers=upload["headers"]
                )
                assert answer.status == 200, answer.data
            elif upload["state"] == "multipart":
                self.send_parts(model, upload, path)
                self.complete(model, upload)
        return files

    def send_parts(
        self, model: str, upload: dict[str, Any], path: Path, limit: int | None = None
    ) -> list[int]:
        """Send the parts S3 does not have yet (at most ``limit``); answers their numbers."""
        held = {part["number"] for part in self.parts(model, upload)}
        missing = [n for n in range(1, upload["part_count"] + 1) if n not in held][:limit]
        if not missing:
            return []
        where = f"/v1/models/{model}/uploads/{upload['sha256']}/parts"
        asked = self.expect(200, "POST", where, {"upload_id": upload["upload_id"], "numbers": missing})

        def send(part: dict[str, Any]) -> None:
            with path.open("rb") as file:
                file.seek((part["number"] - 1) * upload["part_size"])
                body = file.read(upload["part_size"])
            answer = self.http.request("PUT", part["url"], body=body, headers=part["headers"])
            assert answer.status == 200, answer.data

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(send, asked["parts"]))
        return missing

    def parts(self, model: str, upload: dict[str, Any]) -> list[dict[str, Any]]:
        """The parts S3 has."""
        where = (
            f"/v1/models/{model}/uploads/{upload['sha256']}/parts?upload_id={upload['upload_id']}&limit=1000"
        )
        return list(self.expect(200, "GET", where)["items"])

    def complete(self, model: str, upload: dict[str, Any], held: list[dict[str, Any]] | None = None) -> Any:
        """Complete an upload from what S3 has (or had, when repeating)."""
        held = self.parts(model, upload) if held is None else held
        listed = [{"number": part["number"], "etag": part["etag"]} for part in held]
        where = f"/v1/models/{model}/uploads/{upload['sha256']}/complete"
        return self.expect(200, "POST", where, {"upload_id": upload["upload_id"], "parts": listed})

    def publish(self, model: str, files: list[dict[str, Any]], **draft: Any) -> dict[str, Any]:
        """Publish uploaded files."""
        body = {"files": files, **draft}
        return dict(self.expect(201, "POST", f"/v1/models/{model}/versions", body))

    def settled(self, model: str, number: int, seconds: float = 60) -> dict[str, Any]:
        """The version once the verifier decided."""
        deadline = time.monotonic() + seconds
        while True:
            version = self.expect(200, "GET", f"/v1/models/{model}/versions/{number}")
            if version["state"] != "verifying":
                return dict(version)
            assert time.monotonic() < deadline, f"{model}/{number} is still verifying after {seconds} s"
            time.sleep(0.1)

    def fetch(self, model: str, reference: str | int, folder: Path) -> dict[str, Any]:
        """Fetch all files of a version into ``folder``, each checked against its digest."""
        where = f"/v1/models/{model}/versions/{reference}/downloads"
        answer = self.expect(200, "POST", where, {"paths": None})
        for file in answer["files"]:
            target = folder / file["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            body = self.http.request("GET", file["url"], preload_content=False)
            assert body.status == 200, body.data
            with target.open("wb") as out:
                for chunk in body.stream(_CHUNK):
                    out.write(chunk)
            body.release_conn()
            assert digest_of(target) == file["sha256"], file["path"]
        return dict(answer)
