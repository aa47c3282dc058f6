"""The main job on a real model, over plain HTTP: train, publish, verify, fetch, load, promote, deploy, audit.

Needs a running stack (`make up`); `make demo` starts one and runs this. Read it from top to bottom: every
call to the store is one line, and none of them needs more than an HTTP library. Model bytes never pass
through the store: they go to and come from S3 with the URLs that it hands out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import joblib
import sklearn
import urllib3
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # Makes requests in one user's name: `call` with its first two arguments given.
    Caller: TypeAlias = Callable[..., Any]
    Say: TypeAlias = Callable[[str], None]

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL = "fraud/credit-risk"
USERS = ("ds-fraud", "ds-nlp", "approver-fraud", "deployer-fraud", "compliance")
PARAMS = {"n_estimators": 200, "max_depth": 8, "random_state": 7}
# Long enough for a busy machine; on a quiet one each of these waits takes about a second.
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.1
OK, CREATED, FORBIDDEN, NOT_FOUND, LOCKED = 200, 201, 403, 404, 423

http = urllib3.PoolManager(retries=False, timeout=30)


class DemoError(Exception):
    """Something did not go as it should; the message is one sentence for whoever runs the demo."""


# --- The main job -----------------------------------------------------------------------------------


def main() -> int:
    """Run the demo; return 0 when all of it worked, 1 after one sentence on stderr."""
    options = command_line()
    begun = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="smas-demo-") as folder:
            number = demo(options.state, options.url, Path(folder))
    except DemoError as error:
        print(f"The demo stopped: {error}", file=sys.stderr)
        return 1
    except urllib3.exceptions.HTTPError as error:
        reason = type(error).__name__
        print(f"The demo stopped: no answer ({reason}); start the stack with `make up`.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    print(f"\nDone in {time.perf_counter() - begun:.1f} s: version {number} of {MODEL} is in production.")
    return 0


def demo(state: Path, url: str | None, folder: Path) -> int:
    """All steps in order, in ``folder``; answers the number of the version they made."""
    store, begun = url or service_url(state), datetime.now(UTC)
    print(f"{bold('Secure model artifact store')}, at {store}\n")
    with step("sign in") as say:
        tokens = sign_in(state, USERS)
        say(", ".join(USERS))

    scientist, stranger, approver, deployer, compliance = (
        partial(call, store, tokens[user]) for user in USERS
    )

    out = folder / "out"
    with step("train") as say:
        forest, held_out, metrics = train()
        save(forest, metrics, out)
        say(f"random forest, accuracy {metrics['accuracy']} on {len(held_out)} rows it never saw")
    with step("upload") as say:
        files = upload(scientist, out, say)
    with step("publish") as say:
        version = publish(scientist, files, metrics)
        number = int(version["version"])
        say(f"{MODEL} version {number}: immutable from here on, {version['state']}")
    with step("verify") as say:
        say(f"every file was held against its SHA-256: {wait_until_verified(scientist, number)}")
    with step("fetch") as say:
        fetched = fetch(scientist, "latest", folder / "latest")
        say(f"`latest` is version {fetched}; the SHA-256 of each file is right")
    with step("load") as say:
        say(compare(forest, joblib.load(folder / "latest" / "model.joblib"), held_out))
    with step("alias") as say:
        say(point_alias(scientist, "champion", number))

    show(scientist("GET", f"/v1/models/{MODEL}/versions/champion"))

    with step("refused") as say:
        refusal = stranger("GET", f"/v1/models/{MODEL}/versions/{number}", status=NOT_FOUND)
        say(f"ds-nlp, of another team, gets 404: {refusal['detail']}")
    with step("refused") as say:
        say(read_with_changed_url(scientist, number))
    with step("promote") as say:
        say(f"by approver-fraud: {point_alias(approver, 'production', number)}")
    with step("deploy") as say:
        deployed = fetch(deployer, "production", folder / "production")
        say(f"deployer-fraud fetches `production`, version {deployed}")
    with step("audit") as say:
        events = who_touched(compliance, number, begun, downloads=2 * len(files))
        say(f"compliance reads {len(events)} events about version {number} in CloudTrail's own files")
    show_touches(events)
    return number


# --- What a data scientist does anyway --------------------------------------------------------------


def train() -> tuple[RandomForestClassifier, Any, dict[str, float]]:
    """A seeded classifier, the rows it never saw, and how well it does on them.

    The data come with scikit-learn; they stand in for a bank's, which nobody could bundle.
    """
    rows, labels = load_breast_cancer(return_X_y=True)
    seen, held_out, seen_labels, held_out_labels = train_test_split(
        rows, labels, test_size=0.25, random_state=7, stratify=labels
    )
    forest = RandomForestClassifier(**PARAMS).fit(seen, seen_labels)
    scores = forest.predict_proba(held_out)[:, 1]
    metrics = {
        "accuracy": round(float(accuracy_score(held_out_labels, forest.predict(held_out))), 4),
        "roc_auc": round(float(roc_auc_score(held_out_labels, scores)), 4),
    }
    return forest, held_out, metrics


def save(forest: RandomForestClassifier, metrics: dict[str, float], folder: Path) -> None:
    """The model as a directory: the fitted estimator, its metrics, the columns it wants."""
    columns = load_breast_cancer().feature_names.tolist()
    folder.mkdir()
    joblib.dump(forest, folder / "model.joblib", compress=3)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2), encoding="utf-8")
    (folder / "columns.json").write_text(json.dumps(columns, indent=2), encoding="utf-8")


def compare(before: RandomForestClassifier, after: RandomForestClassifier, held_out: Any) -> str:
    """Whether the model that came back predicts what the one that went out did."""
    if (before.predict_proba(held_out) != after.predict_proba(held_out)).any():
        raise DemoError("the fetched model predicts something else than the one that was published.")
    return f"its predictions on all {len(held_out)} rows are the same as before"


# --- The store's API, one function a task -------------------------------------------------------------


def upload(scientist: Caller, folder: Path, say: Say) -> list[dict[str, Any]]:
    """Send the files of ``folder`` that the model does not hold yet; answers what to publish.

    Files up to 64 MiB are one PUT each. Larger ones are `multipart`: this demo has none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [
        {"path": str(path.relative_to(folder)), "sha256": sha256_of(path), "size": path.stat().st_size}
        for path in paths
    ]
    wanted = {"files": [{"sha256": file["sha256"], "size": file["size"]} for file in files]}
    answer = scientist("POST", f"/v1/models/{MODEL}/uploads", wanted)
    for path, target in zip(paths, answer["files"], strict=True):
        if target["state"] == "stored":
            say(f"{path.name}: already stored")
            continue
        # The signed headers carry the SHA-256, so S3 itself refuses other bytes than announced.
        sent = http.request(
            target["method"], target["url"], body=path.read_bytes(), headers=target["headers"]
        )
        if sent.status != OK:
            msg = f"S3 refused {path.name} with status {sent.status}."
            raise DemoError(msg)
        say(f"{path.name}: {target['size']:,} bytes sent to S3")
    return files


def publish(scientist: Caller, files: list[dict[str, Any]], metrics: dict[str, float]) -> dict[str, Any]:
    """Make the uploaded files the model's next version."""
    draft = {
        "files": files,
        "message": "random forest, as make demo trains it",
        "metadata": {
            "framework": "scikit-learn",
            "framework_version": sklearn.__version__,
            "metrics": metrics,
            "params": PARAMS,
            "source": {"script": "examples/demo.py", "data": "sklearn load_breast_cancer"},
        },
    }
    return dict(scientist("POST", f"/v1/models/{MODEL}/versions", draft, status=CREATED))


def wait_until_verified(scientist: Caller, number: int) -> str:
    """Wait for the verifier; until it has decided, nobody can read the bytes."""
    for _ in patience(f"version {number} is still being verified; `make logs` may tell why."):
        version = scientist("GET", f"/v1/models/{MODEL}/versions/{number}")
        if version["state"] == "available":
            break
        if version["state"] != "verifying":
            msg = f"version {number} is {version['state']}: {version['reason']}."
            raise DemoError(msg)
    return str(version["state"])


def fetch(caller: Caller, reference: str, folder: Path) -> int:
    """Fetch all files of a version into ``folder``, each checked before anybody uses it.

    423 says that the bytes may not be served yet: deployers get them once the verifier has released what
    an approver pointed a protected alias to.
    """
    path = f"/v1/models/{MODEL}/versions/{reference}/downloads"
    for _ in patience(f"`{reference}` may still not be fetched; `make logs` may tell why."):
        answer = caller("POST", path, {"paths": None}, status=(OK, LOCKED))
        if "files" in answer:
            break
    for file in answer["files"]:
        target = folder / file["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        answered = http.request("GET", file["url"])
        if answered.status != OK:
            msg = f"S3 refused {file['path']} with status {answered.status}."
            raise DemoError(msg)
        target.write_bytes(answered.data)
        # Before loading, always: loading a pickle or joblib file runs code.
        if sha256_of(target) != file["sha256"]:
            msg = f"{file['path']} came back as other bytes than were published."
            raise DemoError(msg)
    return int(answer["version"])


def point_alias(caller: Caller, alias: str, number: int) -> str:
    """Point an alias at a version, if nobody moves it at the same time."""
    aliases = caller("GET", f"/v1/models/{MODEL}/aliases")["items"]
    before = next((item["version"] for item in aliases if item["alias"] == alias), None)
    move = {"version": number, "expected_version": before}
    caller("PUT", f"/v1/models/{MODEL}/aliases/{alias}", move)
    was = f" (it was version {before})" if before else ""
    return f"`{alias}` is version {number}{was}"


def read_with_changed_url(scientist: Caller, number: int) -> str:
    """Ask S3 for other bytes than a signed URL was made for."""
    path = f"/v1/models/{MODEL}/versions/{number}/files/model.joblib?redirect=false"
    signed = scientist("GET", path)["url"]
    status = http.request("GET", signed.replace("/fraud/", "/nlp/")).status
    if status != FORBIDDEN:
        msg = f"S3 answered {status}, not 403, to a URL that was changed after it was signed."
        raise DemoError(msg)
    return "a signed URL, changed to name another team's bytes, gets 403 from S3"


def who_touched(compliance: Caller, number: int, begun: datetime, *, downloads: int) -> list[dict[str, Any]]:
    """Everything on record about a version since ``begun``, newest first, once all of it has arrived.

    AWS writes its trail some seconds after the fact (minutes, in the real one): that is waited for.
    """
    asked = f"?model={MODEL}&version={number}&from={begun:%Y-%m-%dT%H:%M:%SZ}&limit=1000"
    for _ in patience("the trail still lacks some of what was done; `make logs` may tell why."):
        events: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = compliance("GET", f"/v1/audit/events{asked}{cursor and '&cursor=' + cursor}")
            events += page["items"]
            cursor = page["next_cursor"]
        # A download names the file that was read; the version's records are read by GetObject as well.
        fetched = sum(event["path"] is not None and event["action"] == "s3:GetObject" for event in events)
        if fetched >= downloads and any(event["source"] == "service" for event in events):
            break
    return events


def call(
    store: str,
    token: str,
    method: str,
    path: str,
    body: object = None,
    *,
    status: int | tuple[int, ...] = OK,
) -> Any:
    """One request to the store in the name of the token's owner; answers the JSON body.

    Raises ``DemoError`` with the problem's own words if the answer has another status than expected.
    """
    answer = http.request(method, store + path, json=body, headers={"Authorization": f"Bearer {token}"})
    expected = (status,) if isinstance(status, int) else status
    if answer.status in expected:
        return answer.json()
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    detail = answer.json()["detail"] if is_problem else f"an answer that is not the store's, {answer.status}"
    identified = answer.headers.get("X-Request-Id", "none")
    msg = f"{method} {path}: {detail} (status {answer.status}, request id {identified})."
    raise DemoError(msg)


# --- Around it --------------------------------------------------------------------------------------


def command_line() -> argparse.Namespace:
    """The options of the demo."""
    parser = argparse.ArgumentParser(
        description="Publish, verify, fetch and deploy a model on the local stack."
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=REPOSITORY / ".smas",
        metavar="DIR",
        help="the state directory of the running stack (default: .smas of this repository)",
    )
    parser.add_argument("--url", metavar="URL", help="the service's address (default: the stack's own)")
    return parser.parse_args()


def service_url(state: Path) -> str:
    """Where the running stack says its service is."""
    try:
        return str(json.loads((state / "stack.json").read_text(encoding="utf-8"))["service_url"])
    except FileNotFoundError:
        raise DemoError("the local stack is not running; start it with `make up`.") from None


def sign_in(state: Path, users: tuple[str, ...]) -> dict[str, str]:
    """An access token for each of the local users, as `make token` gets it."""
    python = REPOSITORY / ".venv" / "emulator" / "bin" / "python"
    command = [str(python), "-m", "smas_emulator.stack", "--state", str(state), "token"]

    def token(user: str) -> str:
        try:
            ended = subprocess.run([*command, user], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise DemoError("the local stack is not installed; `make up` installs and starts it.") from None
        if ended.returncode:
            raise DemoError(ended.stderr.strip())
        return ended.stdout.strip()

    with ThreadPoolExecutor(len(users)) as threads:
        return dict(zip(users, threads.map(token, users), strict=True))


def sha256_of(path: Path) -> str:
    """The digest that names a file's bytes in the store."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def patience(otherwise: str) -> Iterator[None]:
    """Again and again with pauses, for a bounded time; then a ``DemoError`` that says ``otherwise``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(POLL_SECONDS)
    msg = f"after {PATIENCE_SECONDS} s, {otherwise}"
    raise DemoError(msg)


@contextmanager
def step(name: str) -> Iterator[Say]:
    """Name a step as it begins; what it says, and how long it took, follows when it ends."""
    print(f"{name:<9}", end="", flush=True)
    said: list[str] = []
    begun = time.perf_counter()
    try:
        yield said.append
    except BaseException:
        print("failed", flush=True)
        raise
    took = f"{time.perf_counter() - begun:6.2f} s"
    for line in said[:-1]:
        print(f"{line}\n{'':<9}", end="")
    print(f"{said[-1]:<72}{dim(took)}", flush=True)


def show(version: dict[str, Any]) -> None:
    """A version as the store answers it, digests shortened."""
    print()
    for name, value in version.items():
        if name == "files":
            print(f"    {name}")
            for file in value:
                print(f"      {file['path']:<14} {file['size']:>7} bytes  sha256 {file['sha256'][:16]}…")
        elif name == "metadata":
            print(f"    {name}")
            for field, content in value.items():
                print(f"      {field:<18} {json.dumps(content)}")
        else:
            shown = f"{value[:16]}…" if name == "revision" else json.dumps(value)
            print(f"    {name:<12} {shown}")
    print()


def show_touches(events: list[dict[str, Any]]) -> None:
    """Who touched the version's bytes, and who was kept from it; the same acts of one person are one line."""
    touches = Counter(
        (event["actor"], event["role"], event["action"], event["outcome"])
        for event in reversed(events)
        if event["sha256"] or event["outcome"] == "denied"
    )
    print()
    for (actor, role, action, outcome), count in touches.items():
        times = f"{count} ×" if count > 1 else ""
        print(f"    {actor or '-':<19} {role or '-':<19} {times:>4} {action:<28} {outcome}")


def bold(text: str) -> str:
    """Bold on a terminal."""
    return _styled("1", text)


def dim(text: str) -> str:
    """Faint on a terminal."""
    return _styled("2", text)


def _styled(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


if __name__ == "__main__":
    sys.exit(main())
