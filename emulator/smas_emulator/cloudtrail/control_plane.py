"""CloudTrail's API: trails, what they want, whether they are on, and looking up what happened.

Requests and answers have the members of the operation by botocore's names. Errors are those of
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Operations.html.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.errors import trail_error
from smas_emulator.cloudtrail.lookups import lookup_events
from smas_emulator.cloudtrail.requests import (
    check_place,
    check_reference,
    check_required,
    check_topic,
    is_log_group,
    tagged,
)
from smas_emulator.cloudtrail.selectors import check_advanced, check_basic
from smas_emulator.cloudtrail.trails import DEFAULT_SELECTORS, Trail, check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from smas_emulator.cloudtrail.digests import SigningKeys
    from smas_emulator.cloudtrail.event_store import EventStore
    from smas_emulator.cloudtrail.ports import Keys, LogGroups, Topics, TrailBuckets
    from smas_emulator.cloudtrail.statuses import Statuses

MOST_TRAILS = 5


class ControlPlane:
    """All trails; `changed` is told of every change, with the trails as they are then."""

    def __init__(
        self,
        buckets: TrailBuckets,
        keys: Keys,
        log_groups: LogGroups,
        topics: Topics,
        signing: SigningKeys,
        store: EventStore,
        status: Statuses,
        changed: Callable[[Sequence[Trail]], None],
        now: Callable[[], datetime],
    ) -> None:
        self._buckets = buckets
        self._keys = keys
        self._log_groups = log_groups
        self._topics = topics
        self._signing = signing
        self._store = store
        self._status = status
        self._changed = changed
        self._now = now
        self._lock = threading.Lock()
        self._trails: dict[str, Trail] = {}
        self._operations = {
            "CreateTrail": self._create,
            "UpdateTrail": self._update,
            "DeleteTrail": self._delete,
            "GetTrail": self._get,
            "DescribeTrails": self._describe,
            "ListTrails": self._list,
            "GetTrailStatus": self._get_status,
            "StartLogging": self._start,
            "StopLogging": self._stop,
            "PutEventSelectors": self._put_selectors,
            "GetEventSelectors": self._get_selectors,
            "GetInsightSelectors": self._get_insights,
            "LookupEvents": self._lookup,
            "ListPublicKeys": self._list_keys,
            "AddTags": self._add_tags,
            "RemoveTags": self._remove_tags,
            "ListTags": self._list_tags,
        }

    def answer(self, operation: str, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        """The answer to one call. Raises `AwsError`."""
        handle = self._operations.get(operation)
        if handle is None:
            message = (
                f"{operation} is not supported here: there are trails, but no lakes, channels or insights."
            )
            raise trail_error("UnsupportedOperationException", message)
        check_required(operation, request)
        with self._lock:
            return handle(request, account, region)

    def _create(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        check_name(request["Name"])
        here = [trail for trail in self._trails.values() if self._seen_from(trail, account, region)]
        if request["Name"] in {trail.name for trail in here}:
            message = f"Trail {request['Name']} already exists for customer: {account}"
            raise trail_error("TrailAlreadyExistsException", message)
        if len(here) >= MOST_TRAILS:
            message = f"User: {account} already has {MOST_TRAILS} trails in {region}."
            raise trail_error("MaximumNumberOfTrailsExceededException", message)
        fresh = Trail(request["Name"], account, region, bucket=request["S3BucketName"])
        trail = self._configured(fresh, request)
        tags = tagged({}, request.get("TagsList") or ())
        return self._keep(replace(trail, tags=tags)).settings()

    def _update(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        trail = self._own(request["Name"], account, region)
        bucket = request.get("S3BucketName") or trail.bucket
        return self._keep(self._configured(replace(trail, bucket=bucket), request)).settings()

    def _configured(self, trail: Trail, request: Mapping[str, Any]) -> Trail:
        """The trail with what a request sets, after AWS's checks of it; what it leaves out stays."""
        if request.get("IsOrganizationTrail"):
            message = "There is no organization here."
            raise trail_error("OrganizationsNotInUseException", message)
        trail = replace(
            trail,
            key_prefix=request.get("S3KeyPrefix", trail.key_prefix) or None,
            global_events=request.get("IncludeGlobalServiceEvents", trail.global_events),
            multi_region=request.get("IsMultiRegionTrail", trail.multi_region),
            validation=request.get("EnableLogFileValidation", trail.validation),
            topic_arn=self._topic(trail, request),
            kms_key=self._key(trail, request),
        )
        if trail.multi_region and not trail.global_events:
            message = "Multi-Region trail must include global service events."
            raise trail_error("InvalidParameterCombinationException", message)
        self._check_bucket(trail)
        return self._with_log_group(trail, request)

    def _check_bucket(self, trail: Trail) -> None:
        check_place(trail.bucket, trail.key_prefix or "")
        if not self._buckets.exists(trail.bucket):
            message = f"S3 bucket {trail.bucket} does not exist!"
            raise trail_error("S3BucketDoesNotExistException", message)
        # What CloudTrail tries out, before it has a log file.
        if not self._buckets.allows(trail.bucket, f"{trail.folder}CloudTrail/", trail.arn):
            message = f"Incorrect S3 bucket policy is detected for bucket: {trail.bucket}"
            raise trail_error("InsufficientS3BucketPolicyException", message)

    def _topic(self, trail: Trail, request: Mapping[str, Any]) -> str | None:
        if "SnsTopicName" not in request:
            return trail.topic_arn
        name = request["SnsTopicName"]
        if not name:
            return None
        check_topic(name)
        arn = self._topics.resolve(name, trail.account, trail.home_region)
        if arn is None:
            message = f"SNS Topic does not exist or the topic policy is incorrect: {name}"
            raise trail_error("InsufficientSnsTopicPolicyException", message)
        return arn

    def _key(self, trail: Trail, request: Mapping[str, Any]) -> str | None:
        if "KmsKeyId" not in request:
            return trail.kms_key
        key = request["KmsKeyId"]
        if not key:
            return None
        arn = self._keys.resolve(key, trail.home_region)
        if arn is None:
            raise trail_error("KmsKeyNotFoundException", f"KMS key {key} does not exist.")
        return arn

    def _with_log_group(self, trail: Trail, request: Mapping[str, Any]) -> Trail:
        group = request.get("CloudWatchLogsLogGroupArn", trail.log_group_arn) or None
        role = request.get("CloudWatchLogsRoleArn", trail.log_role_arn) or None
        if group is None and role is None:
            return replace(trail, log_group_arn=None, log_role_arn=None)
        if group is None or not is_log_group(group) or not self._log_groups.exists(group):
            message = "CloudTrail cannot validate the specified log group ARN."
            raise trail_error("InvalidCloudWatchLogsLogGroupArnException", message)
        if role is None or not role.startswith(f"arn:aws:iam::{trail.account}:role/"):
            message = "CloudTrail cannot assume the role of CloudWatch Logs: name one of this account."
            raise trail_error("InvalidCloudWatchLogsRoleArnException", message)
        return replace(trail, log_group_arn=group, log_role_arn=role)

    def _delete(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        trail = self._own(request["Name"], account, region)
        del self._trails[trail.arn]
        self._status.forget(trail)
        self._changed(tuple(self._trails.values()))
        return {}

    def _get(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        return {"Trail": self._find(request["Name"], account, region).description()}

    def _describe(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        names = request.get("trailNameList") or ()
        for name in names:
            check_reference(name)
        shadows = request.get("includeShadowTrails", True)
        found = []
        for trail in self._trails.values():
            here = self._seen_from(trail, account, region) and (shadows or trail.home_region == region)
            named = trail.arn in names or (here and (not names or trail.name in names))
            if named and trail.account == account:
                found.append(trail.description())
        return {"trailList": found}

    def _list(self, _request: Mapping[str, Any], account: str, _region: str) -> dict[str, Any]:
        return {
            "Trails": [
                {"TrailARN": trail.arn, "Name": trail.name, "HomeRegion": trail.home_region}
                for trail in self._trails.values()
                if trail.account == account
            ]
        }

    def _get_status(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        return self._status.described(self._find(request["Name"], account, region))

    def _start(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        trail = self._own(request["Name"], account, region)
        if not trail.logging:
            self._keep(replace(trail, logging=True, started=self._now()))
        return {}

    def _stop(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        trail = self._own(request["Name"], account, region)
        if trail.logging:
            self._keep(replace(trail, logging=False, stopped=self._now()))
        return {}

    def _put_selectors(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        trail = self._own(request["TrailName"], account, region)
        basic, advanced = request.get("EventSelectors"), request.get("AdvancedEventSelectors")
        if (basic is None) == (advanced is None):
            message = "Give either EventSelectors or AdvancedEventSelectors."
            raise trail_error("InvalidEventSelectorsException", message)
        if basic is not None:
            check_basic(basic)
            complete = tuple({**DEFAULT_SELECTORS[0], **selector} for selector in basic)
            trail = replace(trail, selectors=complete, advanced=())
        else:
            check_advanced(advanced or ())
            trail = replace(trail, advanced=tuple(advanced or ()))
        self._keep(trail)
        return self._selectors(trail)

    def _get_selectors(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        return self._selectors(self._find(request["TrailName"], account, region))

    @staticmethod
    def _selectors(trail: Trail) -> dict[str, Any]:
        if trail.advanced:
            return {"TrailARN": trail.arn, "AdvancedEventSelectors": list(trail.advanced)}
        return {"TrailARN": trail.arn, "EventSelectors": list(trail.selectors)}

    def _get_insights(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        trail = self._find(request.get("TrailName") or "", account, region)
        message = f"Trail {trail.name} does not have Insights enabled."
        raise trail_error("InsightNotEnabledException", message)

    def _lookup(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        return lookup_events(self._store, request, account, region, self._now())

    def _list_keys(self, request: Mapping[str, Any], _account: str, region: str) -> dict[str, Any]:
        since, until = request.get("StartTime"), request.get("EndTime")
        if since is not None and until is not None and since > until:
            message = "The start time is after the end time."
            raise trail_error("InvalidTimeRangeException", message)
        return {"PublicKeyList": self._signing.listed(region, since, until)}

    def _add_tags(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        del region  # tags are no setting that the home region alone may change
        trail = self._by_arn(request["ResourceId"], account)
        self._keep(replace(trail, tags=tagged(trail.tags, request["TagsList"])))
        return {}

    def _remove_tags(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        del region
        trail = self._by_arn(request["ResourceId"], account)
        removed = {tag.get("Key") for tag in request["TagsList"]}
        kept = {key: value for key, value in trail.tags.items() if key not in removed}
        self._keep(replace(trail, tags=kept))
        return {}

    def _list_tags(self, request: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        del region
        listed = []
        for arn in request["ResourceIdList"]:
            tags = self._by_arn(arn, account).tags
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            listed.append({"ResourceId": arn, "TagsList": pairs})
        return {"ResourceTagList": listed}

    def _keep(self, trail: Trail) -> Trail:
        self._trails[trail.arn] = trail
        self._changed(tuple(self._trails.values()))
        return trail

    @staticmethod
    def _seen_from(trail: Trail, account: str, region: str) -> bool:
        return trail.account == account and (trail.multi_region or trail.home_region == region)

    def _find(self, name: str, account: str, region: str) -> Trail:
        """A trail by name or ARN, as it is seen from a region. Raises `TrailNotFoundException`."""
        check_reference(name)
        arn = name
        if not name.startswith("arn:"):
            arn = next(
                (
                    trail.arn
                    for trail in self._trails.values()
                    if trail.name == name and self._seen_from(trail, account, region)
                ),
                f"arn:aws:cloudtrail:{region}:{account}:trail/{name}",
            )
        if arn not in self._trails or self._trails[arn].account != account:
            message = f"Unknown trail: {arn} for the user: {account}"
            raise trail_error("TrailNotFoundException", message)
        return self._trails[arn]

    def _own(self, name: str, account: str, region: str) -> Trail:
        """A trail that is to be changed, which its home region alone may do."""
        trail = self._find(name, account, region)
        if trail.home_region != region:
            message = f"The trail can only be changed in its home region, {trail.home_region}."
            raise trail_error("InvalidHomeRegionException", message)
        return trail

    def _by_arn(self, arn: str, account: str) -> Trail:
        if not arn.startswith("arn:"):
            raise trail_error("CloudTrailARNInvalidException", f"{arn} is not the ARN of a trail.")
        check_reference(arn)
        if arn not in self._trails or self._trails[arn].account != account:
            raise trail_error("ResourceNotFoundException", f"There is no {arn}.")
        return self._trails[arn]
