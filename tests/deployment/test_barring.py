"""Barring somebody: the file, the policies and the user pool, each tried whatever becomes of the others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from deployment import barring, offboarding
from deployment.barring import FILE, MOST, PERSONAS, VariableFile, checked
from deployment.errors import DeploymentError
from deployment.store import Copy, Store, _initialised, deployed
from tests.deployment.fake_aws import FakeAws, refusal
from tests.infra.rendering import rendered

if TYPE_CHECKING:
    from pathlib import Path

WHO = "0a1b2c3d-0000-0000-0000-000000000000"
BEFORE = {"sub-of-the-barred"}  # as in tests/infra/golden
OUTPUTS: dict[str, Any] = {
    "service_settings": {
        "AWS_REGION": "eu-central-1",
        "SMAS_BUCKET": "smas-models",
        "SMAS_ROLE_PREFIX": "arn:aws:iam::111122223333:role/bank-models-",
    },
    "user_pool_id": "eu-central-1_pool",
    "copy": {"bucket": "smas-models-copy", "region": "eu-west-1"},
    "provider_groups": {},
}


@dataclass
class Account:
    """Buckets' and roles' policies, and a pool of one user; what `failing` names is refused."""

    buckets: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    user: dict[str, bool] = field(default_factory=lambda: {"enabled": True, "signed_in": True})
    failing: set[str] = field(default_factory=set)

    def aws(self) -> FakeAws:
        """The AWS that they are in."""
        operations = {
            "GetBucketPolicy": lambda asked: {"Policy": self.buckets[asked["Bucket"]]},
            "PutBucketPolicy": self._put_bucket_policy,
            "GetRolePolicy": lambda asked: {"PolicyDocument": quote(self.roles[asked["RoleName"]])},
            "PutRolePolicy": self._put_role_policy,
            "AdminGetUser": self._admin_get_user,
            "AdminDisableUser": lambda _: self._user(enabled=False),
            "AdminEnableUser": lambda _: self._user(enabled=True),
            "AdminUserGlobalSignOut": lambda _: self._user(signed_in=False),
        }
        return FakeAws({name: self._or_refused(name, done) for name, done in operations.items()})

    def _or_refused(self, name: str, done: Any) -> Any:
        def answer(asked: dict[str, Any]) -> dict[str, Any]:
            if name in self.failing:
                raise refusal("AccessDenied")
            return dict(done(asked))

        return answer

    def _put_bucket_policy(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.buckets[asked["Bucket"]] = asked["Policy"]
        return {}

    def _put_role_policy(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["PolicyName"] == "barred"
        self.roles[asked["RoleName"]] = asked["PolicyDocument"]
        return {}

    def _admin_get_user(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Username"] != "ada":
            raise refusal("UserNotFoundException")
        return {"Username": "ada", "UserAttributes": [{"Name": "sub", "Value": WHO}]}

    def _user(self, **changed: bool) -> dict[str, Any]:
        self.user |= changed
        return {}

    def barred(self) -> list[set[str]]:
        """Who is barred, policy by policy."""
        texts = [*self.buckets.values(), *self.roles.values()]
        return [set(barring.barred_in(text, "a policy")) for text in texts]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a copy, deployed from a folder of its own."""
    return deployed(OUTPUTS, tmp_path)


@pytest.fixture
def account(store: Store) -> Account:
    """Its account, as Terraform made it."""
    assert store.copy is not None
    return Account(
        buckets={name: rendered("bucket").text for name in (store.bucket, store.copy.bucket)},
        roles={store.role(persona): rendered("barred").text for persona in PERSONAS},
    )


def bar(store: Store, account: Account, **whom: Any) -> list[str]:
    """Bar somebody; what the command says."""
    said: list[str] = []
    offboarding.bar(store, account.aws(), say=said.append, **whom)  # type: ignore[arg-type]
    return said


def test_a_user_is_barred_everywhere(store: Store, account: Account, tmp_path: Path) -> None:
    """In the variable, both buckets, every persona, and the pool; who was barred before stays it."""
    said = bar(store, account, user="ada", note="TICKET-1")

    assert account.barred() == [{WHO, *BEFORE}] * 8
    assert account.user == {"enabled": False, "signed_in": False}
    variable = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    assert [*variable["barred_identities"]] == [WHO]
    assert variable["barred_identities"][WHO].startswith("ada, TICKET-1, since 20")
    assert len(said) == 5


def test_a_source_identity_is_barred_without_a_user(store: Store, account: Account) -> None:
    """A machine, or who comes through IAM: the pool has nobody to disable."""
    bar(store, account, identity="ada@example.com")
    assert account.barred() == [{"ada@example.com", *BEFORE}] * 8
    assert account.user == {"enabled": True, "signed_in": True}


def test_it_changes_nothing_twice(store: Store, account: Account, tmp_path: Path) -> None:
    """The note of the first time stays, and so does when it was."""
    bar(store, account, user="ada", note="first")
    file, policies = (tmp_path / FILE).read_text(encoding="utf-8"), dict(account.buckets)

    said = bar(store, account, user="ada", note="second")

    assert [line.endswith("(as before)") for line in said] == [True] * 4 + [False]
    assert ((tmp_path / FILE).read_text(encoding="utf-8"), account.buckets) == (file, policies)


@pytest.mark.parametrize(
    ("failing", "left"),
    [("PutBucketPolicy", 6), ("PutRolePolicy", 2), ("AdminDisableUser", 8), ("GetRolePolicy", 2)],
)
def test_what_fails_stops_nothing_else(store: Store, account: Account, failing: str, left: int) -> None:
    """An operator who may not do one thing does all others, and is told; a second try does the rest."""
    account.failing = {failing}
    with pytest.raises(DeploymentError, match="Not done: "):
        bar(store, account, user="ada")
    assert [WHO in each for each in account.barred()].count(True) == left
    assert account.user["signed_in"] is (failing == "AdminDisableUser")

    account.failing = set()
    bar(store, account, user="ada")
    assert account.barred() == [{WHO, *BEFORE}] * 8


def test_lifting_it_leaves_the_pool_shut_unless_told(store: Store, account: Account, tmp_path: Path) -> None:
    """Nobody else is let in by it."""
    bar(store, account, user="ada")
    aws = account.aws()
    offboarding.unbar(store, aws, user="ada", say=lambda _: None)  # type: ignore[arg-type]
    assert account.barred() == [BEFORE] * 8
    assert json.loads((tmp_path / FILE).read_text(encoding="utf-8")) == {"barred_identities": {}}
    assert not account.user["enabled"]

    offboarding.unbar(store, aws, user="ada", enable=True, say=lambda _: None)  # type: ignore[arg-type]
    assert account.user["enabled"]


def test_the_list_says_what_the_next_apply_would_let_in(store: Store, account: Account) -> None:
    """Whoever is barred in AWS and not in the file, or the other way round."""
    aws = account.aws()
    lines, agree = offboarding.listed(store, aws)  # type: ignore[arg-type]
    assert not agree
    assert lines[0] == "sub-of-the-barred"
    assert FILE in lines[1]

    bar(store, account, identity="sub-of-the-barred", note="left")
    lines, agree = offboarding.listed(store, aws)  # type: ignore[arg-type]
    assert agree
    assert lines[0].startswith("sub-of-the-barred  left, since")
    assert len(lines) == 1


def test_a_policy_without_the_statement_is_not_touched(store: Store, account: Account) -> None:
    """It is of an older version; what to do is said."""
    account.buckets[store.bucket] = '{"Version": "2012-10-17", "Statement": []}'
    with pytest.raises(DeploymentError, match="bucket smas-models"):
        bar(store, account, identity=WHO)
    assert account.buckets[store.bucket] == '{"Version": "2012-10-17", "Statement": []}'


@pytest.mark.parametrize("identity", ["", "x", "two words", "a/b", "ü" * 3, "x" * 65, "smas-verifier", "-"])
def test_what_cannot_be_barred_is_refused(identity: str) -> None:
    """By the same rule as Terraform's variable has."""
    with pytest.raises(DeploymentError):
        checked(identity)


def test_the_file_holds_as_many_as_terraform_takes(tmp_path: Path) -> None:
    """The next plan is not the place to find out."""
    file = VariableFile(tmp_path / FILE)
    for number in range(MOST):
        assert file.add(f"left-{number}", "long ago")
    with pytest.raises(DeploymentError, match="take out those"):
        file.add("one-more", "today")
    assert len(file.barred()) == MOST
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"barred_identities": ["x"]}', "nonsense"])
def test_a_file_that_is_something_else_is_not_written_over(tmp_path: Path, text: str) -> None:
    """Somebody wrote it by hand, and has to look."""
    path = tmp_path / FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeploymentError, match="must be"):
        VariableFile(path).add(WHO, "")
    assert path.read_text(encoding="utf-8") == text


def test_the_names_of_a_store_are_its_outputs(tmp_path: Path) -> None:
    """Also where its name has hyphens."""
    found = deployed(OUTPUTS, tmp_path)
    assert found == Store(
        name="bank-models",
        partition="aws",
        account="111122223333",
        region="eu-central-1",
        bucket="smas-models",
        user_pool_id="eu-central-1_pool",
        copy=Copy("smas-models-copy", "eu-west-1"),
        infra=tmp_path,
    )
    assert deployed({**OUTPUTS, "copy": {}}, tmp_path) == replace(found, copy=None)
    assert found.role("approver") == "bank-models-approver"


def test_nobody_in_a_hurry_waits_for_terraform_init(tmp_path: Path) -> None:
    """Where this state was worked with last; elsewhere, or where nobody can tell, `init` comes first."""
    backend = {"bucket": "state", "key": "store.tfstate", "region": "eu-central-1", "encrypt": "true"}
    assert not _initialised(tmp_path, backend)
    file = tmp_path / ".terraform" / "terraform.tfstate"
    file.parent.mkdir()
    for text, known in (
        ("", False),
        ("{}", False),
        (json.dumps({"backend": {"config": None}}), False),
        (json.dumps({"backend": {"config": {**backend, "bucket": "another"}}}), False),
        (json.dumps({"backend": {"config": {**backend, "encrypt": True}}}), True),
    ):
        file.write_text(text, encoding="utf-8")
        assert _initialised(tmp_path, backend) is known


def test_where_nothing_was_deployed_that_is_said(tmp_path: Path) -> None:
    """With the command that would."""
    with pytest.raises(DeploymentError, match="make deploy"):
        deployed({}, tmp_path)


CHANGED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Sid": barring.STATEMENT, "Condition": {"StringLike": {"aws:SourceIdentity": "x"}}}],
    }
)


def test_a_role_that_cannot_be_changed_keeps_nobody_else_in(store: Store, account: Account) -> None:
    """Somebody changed its policy; every other one bars, and the user pool shuts."""
    account.roles[store.role("approver")] = CHANGED
    with pytest.raises(DeploymentError, match="Not done: the personas"):
        bar(store, account, user="ada")
    del account.roles[store.role("approver")]
    assert account.barred() == [{WHO, *BEFORE}] * 7
    assert account.user == {"enabled": False, "signed_in": False}


def test_a_statement_that_somebody_changed_stops_nothing_else(store: Store, account: Account) -> None:
    """It is not touched, and the copy and the personas bar all the same."""
    account.buckets[store.bucket] = CHANGED
    with pytest.raises(DeploymentError, match="Not done: the bucket smas-models:"):
        bar(store, account, user="ada")
    assert account.buckets.pop(store.bucket) == CHANGED
    assert account.barred() == [{WHO, *BEFORE}] * 7


def test_a_pool_that_does_not_answer_leaves_another_way(store: Store, account: Account) -> None:
    """Whoever knows the `sub` needs no pool to end somebody's access."""
    account.failing = {"AdminGetUser"}
    with pytest.raises(DeploymentError, match=r"\(AccessDenied\).* --identity with their `sub`"):
        bar(store, account, user="ada")
    bar(store, account, identity=WHO)
    assert account.barred() == [{WHO, *BEFORE}] * 8


def test_nobody_is_let_in_who_is_not_named(store: Store, account: Account) -> None:
    """A source identity is nobody in the pool: nothing is done by half."""
    bar(store, account, user="ada")
    with pytest.raises(DeploymentError, match="name the user instead"):
        offboarding.unbar(store, account.aws(), identity=WHO, enable=True, say=pytest.fail)  # type: ignore[arg-type]
    assert account.barred() == [{WHO, *BEFORE}] * 8


def test_a_file_that_cannot_be_written_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left there would make the tree differ from its commit."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space"):
        VariableFile(tmp_path / FILE).add(WHO, "")
    assert list(tmp_path.iterdir()) == []
