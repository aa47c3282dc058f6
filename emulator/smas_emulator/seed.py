"""The names of the local stack: users, teams, roles, clients. Tests and documents may rely on them."""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT = "000000000000"
REGION = "us-east-1"
PARTITION = "aws"
BUCKET = "smas-models"
EVENTS_QUEUE = "smas-events"
DEAD_LETTER_QUEUE = "smas-events-dead"
BYTES_KEY_ALIAS = "alias/smas-bytes"
METADATA_KEY_ALIAS = "alias/smas-metadata"
LOGS_KEY_ALIAS = "alias/smas-logs"
ROLE_PREFIX = f"arn:{PARTITION}:iam::{ACCOUNT}:role/smas-"
TRAIL = "smas"
TRAIL_BUCKET = "smas-trail"
TRAIL_PREFIX = ""
SERVICE_LOG_GROUP = "/smas/service"
WORKER_LOG_GROUP = "/smas/worker"
# Named in the key's policy; the local trail delivers to none.
TRAIL_LOG_GROUP = "/smas/trail"
# Nobody: a source identity has at least two characters.
BARRED_IDENTITIES = '["-"]'
LOCAL_IAM_USER = "smas-local"
# Whoever holds these is the account itself. They protect nothing: only this machine reaches the local AWS.
ROOT_ACCESS_KEY = "test"
ROOT_SECRET_KEY = "test"  # noqa: S105

POOL = "smas"
PEOPLE_CLIENT = "smas-people"
RESOURCE_SERVER = "smas"
MACHINE_CLIENT = "deployer-fraud-machine"
MACHINE_SCOPES = ("smas/deployer@fraud",)
# The password of every local user. It protects nothing: the local stack listens on this machine only and
# holds what you put in.
LOCAL_PASSWORD = "Local-stack-0nly!"  # noqa: S105

TEAMS = ("fraud", "nlp")
TEAM_ROLES = ("data-scientist", "approver", "deployer")
GLOBAL_ROLES = ("compliance", "auditor", "custodian")
PERSONAS = (*TEAM_ROLES, *GLOBAL_ROLES)
VERIFIERS = ("scanning", "tagging")


@dataclass(frozen=True, slots=True)
class LocalUser:
    """A person of the local user pool and the groups that make their roles."""

    name: str
    groups: tuple[str, ...]


LOCAL_USERS = (
    LocalUser("ds-fraud", ("data-scientist@fraud",)),
    LocalUser("ds-fraud-2", ("data-scientist@fraud",)),
    LocalUser("ds-nlp", ("data-scientist@nlp",)),
    LocalUser("approver-fraud", ("approver@fraud",)),
    LocalUser("deployer-fraud", ("deployer@fraud",)),
    LocalUser("compliance", ("compliance",)),
    LocalUser("auditor", ("auditor",)),
    LocalUser("custodian", ("custodian",)),
    LocalUser("nobody", ()),
)


def groups() -> tuple[str, ...]:
    """Every group a local user is in, each once."""
    return tuple(dict.fromkeys(group for user in LOCAL_USERS for group in user.groups))


def machine_scopes() -> tuple[str, ...]:
    """The scopes of the resource server: `<role>@<team>` for every local team."""
    return tuple(f"{role}@{team}" for team in TEAMS for role in TEAM_ROLES)
