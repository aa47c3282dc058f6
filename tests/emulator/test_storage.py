"""What the bucket forgets and what it announces."""

from __future__ import annotations

from smas_emulator.storage import lifecycle_rules, notification_configuration

PERMANENT = (
    "blobs/",
    "manifests/",
    "authors/",
    "approvals/",
    "verdicts/",
    "aliases/",
    "protected/",
    "cards/",
    "settings/",
    "tombstones/",
)


def test_nothing_of_value_ever_expires() -> None:
    """Every rule that deletes objects or versions is confined to a prefix of short-lived records."""
    deleting = [
        rule for rule in lifecycle_rules() if {"Expiration", "NoncurrentVersionExpiration"} & set(rule)
    ]

    prefixes = {rule["Filter"]["Prefix"] for rule in deleting}

    assert prefixes == {"uploads/", "requests/"}
    assert not any(kept.startswith(prefix) for kept in PERMANENT for prefix in prefixes)


def test_short_lived_records_go_with_their_versions_and_markers() -> None:
    """After a day a record is gone for good: its current version, older versions and delete marker."""
    by_id = {rule["ID"]: rule for rule in lifecycle_rules()}

    for name in ("uploads", "requests"):
        assert by_id[f"expire-{name}"]["Expiration"] == {"Days": 1}
        assert by_id[f"expire-{name}"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
        assert by_id[f"sweep-{name}"]["Expiration"] == {"ExpiredObjectDeleteMarker": True}


def test_unfinished_uploads_are_aborted_everywhere() -> None:
    """Parts of abandoned uploads are not paid for longer than a day."""
    (rule,) = [rule for rule in lifecycle_rules() if "AbortIncompleteMultipartUpload" in rule]

    assert rule["Filter"] == {"Prefix": ""}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_the_verifier_hears_of_what_it_must_look_at() -> None:
    """Blobs, manifests, authors and protected aliases send an event each; every prefix ends in a slash."""
    configurations = notification_configuration()["QueueConfigurations"]

    prefixes = [entry["Filter"]["Key"]["FilterRules"][0]["Value"] for entry in configurations]

    assert prefixes == ["blobs/", "manifests/", "authors/", "protected/"]
    assert all(entry["Events"] == ["s3:ObjectCreated:*"] for entry in configurations)
