"""The condition keys that every request has, whatever the service; IAM itself knows those of the caller.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.gateway.calls import Call

Context = dict[str, str | tuple[str, ...]]


def global_keys(call: Call, owner: str) -> Context:
    """The keys of the connection and the time; `owner` is the account of what is asked for."""
    context: Context = {
        "aws:SecureTransport": "true" if call.http.secure else "false",
        "aws:SourceIp": call.http.source_ip,
        "aws:CurrentTime": call.time.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "aws:EpochTime": str(int(call.time.timestamp())),
        "aws:RequestedRegion": call.region,
        "aws:ResourceAccount": owner,
        "aws:ViaAWSService": "false",
    }
    headers = call.http.headers
    if "user-agent" in headers:
        context["aws:UserAgent"] = headers["user-agent"]
    if "referer" in headers:
        context["aws:Referer"] = headers["referer"]
    return context


def tag_keys(tags: Mapping[str, str]) -> Context:
    """`aws:RequestTag/…` and `aws:TagKeys` of the tags a request sets; nothing for none."""
    if not tags:
        return {}
    context: Context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    context["aws:TagKeys"] = tuple(tags)
    return context


def request_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The `Tags` member of a request, in any of the shapes that services give it."""
    tags = parameters.get("Tags") or parameters.get("tags") or {}
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    pairs = ({"Key": tag} if isinstance(tag, str) else tag for tag in tags)  # who takes tags away names keys
    return {
        str(tag.get("Key", tag.get("TagKey", tag.get("key")))): str(
            tag.get("Value", tag.get("TagValue", tag.get("value", "")))
        )
        for tag in pairs
    }
