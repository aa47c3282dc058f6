"""Writes `docs/access.md`: who may do what, from the tables that the tests hold service and policies to.

``PYTHONPATH=emulator .venv/bin/python -m tests.infra.access_page`` writes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.infra.access import BYTES, LETTERS, READ_THE_TRAIL, letters
from tests.infra.policy_rules import KINDS
from tests.infra.rendering import PERSONAS, TEAM_PERSONAS, VERIFIERS, WATCH
from tests.web.route_promises import MAY, PROTECTED, PUBLIC, ROUTES, Caller, Outcome, promised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.web.route_promises import Route

REPOSITORY = Path(__file__).parents[2]
PAGE, FOLDERS = REPOSITORY / "docs" / "access.md", [REPOSITORY / "tests" / name for name in ("stack", "aws")]
HEAD = """\
# Who may do what

Two layers decide, each by itself: the service, for every route, and IAM, for every call to S3 and KMS. The
tables are generated from what the tests hold both to, so they cannot be out of date:
`PYTHONPATH=emulator .venv/bin/python -m tests.infra.access_page` writes this page.

## The service: roles, routes and teams

**own**: in the caller's own team. **all**: in every team. **yes**: where a route names no team; a list then
shows the models of the teams that the role reaches. **–**: refused with 403. To a role of one team the
models of another do not exist: whatever it asks of them, the answer is 404. Without a token everything but
the first rows is 401. Whoever has several roles may do what any of them may.
A deployer downloads released versions only.

`tests/web/test_route_matrix.py` asks every route as every role, about both teams.

"""
BUCKET_HEAD = """
## IAM: roles and the kinds of objects in the bucket

What a session may do with S3 itself, without the service: **r** read objects and their versions, **l** list,
**w** write, **d** delete (by a marker; no version is deleted by anybody), **s** see tags, **t** set the tags
`smas-state` and `smas-release` of a version, **p** go on with or give up an upload in parts. Every other
action of S3 is nobody's. A role with `@team` has all of it below `<kind>/<team>/` only, and of `authors`,
`moves`, `approvals` and `requests` it writes its own name's alone. `manifests`, `authors`, `findings`,
`moves`, `verdicts`, `approvals` and `tombstones` are only ever created: the bucket's own policy says so. It
refuses to everybody, the account's administrators too, to hide anything but `uploads` and `requests` behind a
delete marker and to bypass a retention, and to all these roles to change what guards the bucket. Nobody locks
or destroys, and no tag is sent along with a write. The roles of service and worker may do nothing here.

The last row is the bucket of the trail, below `AWSLogs/<account>/`, where nobody writes but CloudTrail. The
same roles read the service's log group, and those of them that are a person's ask CloudTrail for its public
keys.

`tests/infra/test_personas.py` and `tests/infra/test_every_action.py` decide all of it from the policies,
`tests/aws/test_access_matrix.py` and `tests/stack/test_trail_access.py` try it on the local AWS, the former
on a deployed store as well ([testing-on-aws.md](testing-on-aws.md)).

"""
BYTES_HEAD = """
Blobs are read only with these tags, and with the bytes key, which works through S3 alone:

"""
PROMISES_HEAD = """
## What holds without the service

Each of these is tried with the role's own session, calling S3, KMS, STS and the other services of the local
AWS directly, in `tests/stack/` and `tests/aws/`:

"""
PROMISES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "A data scientist of `fraud` reads, lists, writes and tags nothing of `nlp`",
        (
            "test_team_boundaries::test_a_data_scientist_of_fraud_reads_nothing_of_nlp",
            "test_team_boundaries::test_a_data_scientist_of_fraud_lists_nothing_of_nlp",
            "test_team_boundaries::test_a_data_scientist_of_fraud_writes_nothing_of_nlp",
            "test_team_boundaries::test_a_data_scientist_of_fraud_tags_nothing_of_nlp",
            "test_team_boundaries::test_nothing_of_nlp_is_copied_over",
        ),
    ),
    (
        "Nobody writes an author or an approval in another's name",
        ("test_team_boundaries::test_nobody_writes_an_author_in_anothers_name",),
    ),
    (
        "A manifest is never overwritten",
        ("test_team_boundaries::test_a_data_scientist_overwrites_no_manifest",),
    ),
    (
        "A data scientist moves no protected alias and changes no settings",
        (
            "test_team_boundaries::test_a_data_scientist_moves_no_protected_alias",
            "test_team_boundaries::test_a_data_scientist_changes_no_settings",
        ),
    ),
    (
        "Nobody but the verifier's tagging role sets `smas-state` or `smas-release`, however it is sent",
        (
            "test_verified_bytes::test_nobody_else_tags_what_is_there",
            "test_verified_bytes::test_nobody_sends_tags_with_what_they_write",
            "test_verified_bytes::test_the_tagging_role_sets_those_two_tags_and_no_other",
        ),
    ),
    (
        "No persona reads an unverified blob",
        ("test_verified_bytes::test_no_persona_reads_an_unverified_blob",),
    ),
    (
        "`auditor` gets no byte of a model, whichever layer is taken away: API, S3 or KMS",
        (
            "test_no_byte_for_auditors::test_without_the_api_s3_and_kms_are_left",
            "test_no_byte_for_auditors::test_without_s3_the_key_stays_shut",
            "test_no_byte_for_auditors::test_without_the_key_s3_stays_shut",
            "test_no_byte_for_auditors::test_without_all_of_them_there_is_nothing_left",
        ),
    ),
    (
        "`compliance` changes nothing; nor do `auditor`, `custodian` and the watch",
        (
            "test_nothing_is_changed::test_a_reader_changes_no_object",
            "test_nothing_is_changed::test_a_reader_configures_no_bucket",
            "test_nothing_is_changed::test_a_reader_changes_neither_trail_nor_log_nor_roles",
            "test_nothing_is_changed::test_a_reader_changes_no_key",
        ),
    ),
    (
        "The service's own role reads and writes nothing by itself",
        ("test_sessions_of_roles::test_the_services_own_role_reads_and_writes_nothing",),
    ),
    ("The verifier cannot publish", ("test_sessions_of_roles::test_the_verifier_cannot_publish",)),
    (
        "A role is assumed by its one principal, with a source identity, a token's id and no tag but a team",
        (
            "test_sessions::test_a_persona_is_assumed_for_a_token_of_a_named_person",
            "test_sessions::test_a_persona_is_assumed_by_the_service_alone",
            "test_sessions::test_the_workers_roles_are_assumed_by_the_worker_alone",
        ),
    ),
    (
        "The trail and the service's log are read by `compliance`, `auditor` and the watch alone",
        (
            "test_trail_access::test_the_trails_files_are_read_by_its_readers",
            "test_trail_access::test_the_services_log_is_read_by_the_same",
        ),
    ),
    (
        "Who is barred is refused at once: URLs handed out before, sessions old and new, every persona",
        (
            "test_barred::test_a_url_handed_out_before_opens_nothing_any_more",
            "test_barred::test_a_barred_auditor_reads_neither_trail_nor_log",
            "test_barred::test_a_new_session_is_worth_nothing",
        ),
    ),
)


def page() -> str:
    """The whole page."""
    return HEAD + _routes() + BUCKET_HEAD + _objects() + BYTES_HEAD + _bytes() + PROMISES_HEAD + _promises()


def _routes() -> str:
    rows: list[tuple[str, ...]] = [("route", *MAY)]
    for route in ROUTES:
        path = route.rule.replace("<path:path>", "<path>")
        note = " (protected)" if route.alias == PROTECTED else ""
        rows.append((f"`{route.method} {path}`{note}", *(_reach(route, role) for role in MAY)))
    return _table(rows)


def _reach(route: Route, role: str) -> str:
    """Where a role may call a route."""
    caller = Caller(frozenset({role}), team="own")
    allowed = [promised(route, caller, team) is Outcome.ALLOWED for team in ("own", "another")]
    if not route.of_a_team:
        return "anybody" if route.purpose == PUBLIC else "yes" if all(allowed) else "–"
    return "all" if all(allowed) else "own" if allowed[0] else "–"


def _promises() -> str:
    rows = [("promise", "tests")]
    rows += [(told, "<br>".join(f"`{test}`" for test in tests)) for told, tests in PROMISES]
    return _table(rows)


def _objects() -> str:
    roles = (*PERSONAS, *VERIFIERS, WATCH)
    names = [role.removeprefix("persona-") + ("@team" if role in TEAM_PERSONAS else "") for role in roles]
    rows = [("kind", *names)]
    rows += [(f"`{kind}/`", *(_letters(role, kind) for role in roles)) for kind in sorted(KINDS)]
    rows.append(("trail", *("r l" if role in READ_THE_TRAIL else "–" for role in roles)))
    actions = [("letter", "actions")]
    actions += [(f"**{letter}**", ", ".join(f"`{each}`" for each in LETTERS[letter])) for letter in LETTERS]
    return _table(rows) + "\n" + _table(actions)


def _letters(role: str, kind: str) -> str:
    return " ".join(letters(role, kind)) or "–"


def _bytes() -> str:
    rows = [("role", "reads blobs with")]
    for role in (*PERSONAS, *VERIFIERS):
        tags = BYTES[role]
        if tags is None:
            told = "none, whatever their tags"
        else:
            told = (
                ", ".join(f"`{name}={value}`" for name, value in tags.items()) or "any tags, to verify them"
            )
        rows.append((role.removeprefix("persona-"), told))
    return _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
