"""CloudTrail's API answers as AWS's does, and refuses with AWS's own errors."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from smas_emulator.cloudtrail.errors import trail_error
from smas_emulator.cloudtrail.trails import check_name
from smas_emulator.gateway.errors import AwsError

from tests.emulator.cloudtrail.account import (
    ACCOUNT,
    BUCKET,
    KEY,
    LOG_GROUP,
    LOG_ROLE,
    NOON,
    REGION,
    TOPIC,
)

if TYPE_CHECKING:
    from tests.emulator.cloudtrail.account import Account

ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
STRANGE = ARN.replace("/audit", "/nobody")
_MODEL = botocore.session.get_session().get_service_model("cloudtrail")


def refused(account: Account, operation: str, region: str = REGION, **request: Any) -> str:
    """The code of the error that a call is answered with; one that the operation has by AWS's own model."""
    with pytest.raises(AwsError) as refusal:
        account.call(operation, region=region, **request)
    error = refusal.value
    declared = {shape.name: shape.metadata for shape in _MODEL.operation_model(operation).error_shapes}
    assert error.code in declared
    assert error.status == declared[error.code].get("error", {}).get("httpStatusCode", 400)
    assert error.message
    return error.code


def logs(group: str | None, role: str | None) -> dict[str, str]:
    """The members of a request for CloudWatch Logs."""
    members = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    return {name: value for name, value in members.items() if value is not None}


def test_a_new_trail_is_as_terraform_reads_it_back(account: Account) -> None:
    """Every setting is in the answer to CreateTrail, GetTrail and DescribeTrails."""
    settings: dict[str, Any] = {
        "S3BucketName": BUCKET,
        "S3KeyPrefix": "audit",
        "SnsTopicName": "deliveries",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "EnableLogFileValidation": True,
        "CloudWatchLogsLogGroupArn": LOG_GROUP,
        "CloudWatchLogsRoleArn": LOG_ROLE,
        "KmsKeyId": "alias/trail",
    }
    created = account.call("CreateTrail", Name="audit", **settings)

    assert created == {
        "Name": "audit",
        "TrailARN": ARN,
        "S3BucketName": BUCKET,
        "S3KeyPrefix": "audit",
        "SnsTopicName": TOPIC,
        "SnsTopicARN": TOPIC,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "LogFileValidationEnabled": True,
        "CloudWatchLogsLogGroupArn": LOG_GROUP,
        "CloudWatchLogsRoleArn": LOG_ROLE,
        "KmsKeyId": KEY,
        "IsOrganizationTrail": False,
    }
    described = {
        **created,
        "HomeRegion": REGION,
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
    }
    assert account.call("GetTrail", Name=ARN) == {"Trail": described}
    assert account.call("DescribeTrails", trailNameList=[ARN]) == {"trailList": [described]}
    assert account.call("ListTrails") == {
        "Trails": [{"TrailARN": ARN, "Name": "audit", "HomeRegion": REGION}]
    }
    members = _MODEL.shape_for("Trail").members  # type: ignore[attr-defined]  # a structure has them
    assert described.keys() <= members.keys()


def test_a_plain_trail_is_off_and_has_the_defaults(account: Account) -> None:
    """As AWS makes one: one region, global events, no validation, all management events."""
    account.trail(start=False)
    trail = account.call("GetTrail", Name="audit")["Trail"]

    assert (trail["IncludeGlobalServiceEvents"], trail["IsMultiRegionTrail"]) == (True, False)
    assert trail["LogFileValidationEnabled"] is False
    assert not {"S3KeyPrefix", "KmsKeyId", "SnsTopicARN", "CloudWatchLogsLogGroupArn"} & trail.keys()
    assert account.call("GetTrailStatus", Name="audit") == {
        "IsLogging": False,
        "LatestDeliveryAttemptTime": "",
        "LatestDeliveryAttemptSucceeded": "",
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
        "TimeLoggingStarted": "",
        "TimeLoggingStopped": "",
    }
    assert account.call("GetEventSelectors", TrailName="audit") == {
        "TrailARN": ARN,
        "EventSelectors": [
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [],
                "ExcludeManagementEventSources": [],
            }
        ],
    }


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Name": ""}, "InvalidTrailNameException"),
        ({"Name": "a"}, "InvalidTrailNameException"),
        ({"Name": ARN}, "InvalidTrailNameException"),
        ({"S3BucketName": ""}, "InvalidS3BucketNameException"),
        ({"S3BucketName": "Trail_Logs"}, "InvalidS3BucketNameException"),
        ({"S3BucketName": "trail..logs"}, "InvalidS3BucketNameException"),
        ({"S3BucketName": "b" * 64}, "InvalidS3BucketNameException"),
        ({"S3BucketName": "no-such-logs"}, "S3BucketDoesNotExistException"),
        ({"S3BucketName": "closed-logs"}, "InsufficientS3BucketPolicyException"),
        ({"S3KeyPrefix": "p" * 201}, "InvalidS3PrefixException"),
        ({"SnsTopicName": "not a name"}, "InvalidSnsTopicNameException"),
        ({"SnsTopicName": "nothing"}, "InsufficientSnsTopicPolicyException"),
        ({"KmsKeyId": "alias/nothing"}, "KmsKeyNotFoundException"),
        ({"IsOrganizationTrail": True}, "OrganizationsNotInUseException"),
        (
            {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False},
            "InvalidParameterCombinationException",
        ),
        (logs(None, LOG_ROLE), "InvalidCloudWatchLogsLogGroupArnException"),
        (logs("arn:x", LOG_ROLE), "InvalidCloudWatchLogsLogGroupArnException"),
        (logs(LOG_GROUP.replace(":trail", ":gone"), LOG_ROLE), "InvalidCloudWatchLogsLogGroupArnException"),
        (logs(LOG_GROUP, None), "InvalidCloudWatchLogsRoleArnException"),
        (logs(LOG_GROUP, "arn:aws:iam::999999999999:role/r"), "InvalidCloudWatchLogsRoleArnException"),
    ],
)
def test_what_a_trail_cannot_be(account: Account, request_: dict[str, Any], code: str) -> None:
    """CreateTrail and UpdateTrail refuse alike, and a refusal changes nothing."""
    account.buckets.names.add("closed-logs")
    account.buckets.closed.add("closed-logs")

    assert refused(account, "CreateTrail", **{"Name": "audit", "S3BucketName": BUCKET, **request_}) == code
    assert account.call("ListTrails") == {"Trails": []}

    account.trail(start=False)
    before = account.call("GetTrail", Name="audit")
    if request_.get("S3BucketName") != "" and "Name" not in request_:
        assert refused(account, "UpdateTrail", **{"Name": "audit", **request_}) == code
    assert account.call("GetTrail", Name="audit") == before


def test_the_limits_are_still_allowed(account: Account) -> None:
    """The longest prefix, an IP-like name that is none, a bucket name of 63 characters."""
    account.buckets.names.add("b" * 63)
    account.trail("1.2.3", S3BucketName="b" * 63, S3KeyPrefix="p" * 200)

    assert account.call("GetTrail", Name="1.2.3")["Trail"]["S3KeyPrefix"] == "p" * 200


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("abc", True),
        ("ab", False),
        ("a" * 128, True),
        ("a" * 129, False),
        ("my-trail_1.x", True),
        ("my-_trail", False),
        ("my--trail", False),
        ("-trail", False),
        ("trail-", False),
        ("trail.", False),
        ("tra il", False),
        ("tráil", False),
        ("192.168.5.4", False),
        ("192.168.5", True),
    ],
)
def test_names(name: str, good: bool) -> None:
    """The rules that the API's reference gives for names."""
    if good:
        check_name(name)
        return
    with pytest.raises(AwsError) as refusal:
        check_name(name)
    assert refusal.value.code == "InvalidTrailNameException"


def test_the_policy_is_asked_for_the_trails_own_folder(account: Account) -> None:
    """The bucket's policy may name the prefix, the account and the trail's ARN."""
    account.trail(S3KeyPrefix="audit", start=False)

    assert account.buckets.asked == [(BUCKET, f"audit/AWSLogs/{ACCOUNT}/CloudTrail/", ARN)]


def test_a_region_has_five_trails(account: Account) -> None:
    """Trails of all regions count in each; those of one region elsewhere do not."""
    for number in range(2):
        account.trail(f"everywhere-{number}", region="eu-west-1", IsMultiRegionTrail=True)
    account.trail("there", region="eu-west-1")
    for number in range(3):
        account.trail(f"here-{number}")

    assert refused(account, "CreateTrail", Name="here-3", S3BucketName=BUCKET) == (
        "MaximumNumberOfTrailsExceededException"
    )
    account.call("DeleteTrail", Name="here-0")
    account.trail("here-3")


def test_a_name_is_taken_once(account: Account) -> None:
    """In a region, where a trail of all regions is everywhere; another account has its own names."""
    account.trail()
    account.trail("wide", region="eu-west-1", IsMultiRegionTrail=True)

    for name in ("audit", "wide"):
        assert refused(account, "CreateTrail", Name=name, S3BucketName=BUCKET) == (
            "TrailAlreadyExistsException"
        )
    account.trail(region="eu-west-1")
    account.call("CreateTrail", account="999999999999", Name="audit", S3BucketName=BUCKET)


_REFERRING = [
    ("UpdateTrail", "Name"),
    ("DeleteTrail", "Name"),
    ("StartLogging", "Name"),
    ("StopLogging", "Name"),
    ("PutEventSelectors", "TrailName"),
    ("GetTrail", "Name"),
    ("GetTrailStatus", "Name"),
    ("GetEventSelectors", "TrailName"),
    ("GetInsightSelectors", "TrailName"),
]


@pytest.mark.parametrize(("operation", "member"), _REFERRING)
def test_what_names_no_trail(account: Account, operation: str, member: str) -> None:
    """Unknown names and ARNs, other accounts' trails, wrong names, wrong ARNs, nothing."""
    foreign = account.call("CreateTrail", account="999999999999", Name="theirs", S3BucketName=BUCKET)
    expected = {
        "nobody": "TrailNotFoundException",
        STRANGE: "TrailNotFoundException",
        foreign["TrailARN"]: "TrailNotFoundException",
        "a b": "InvalidTrailNameException",
        "": "InvalidTrailNameException",
        "arn:aws:s3:::bucket": "CloudTrailARNInvalidException",
        f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:channel/x": "CloudTrailARNInvalidException",
    }

    assert {name: refused(account, operation, **{member: name}) for name in expected} == expected


@pytest.mark.parametrize(("operation", "member"), _REFERRING[:5])
def test_only_the_home_region_changes_a_trail(account: Account, operation: str, member: str) -> None:
    """A trail of all regions is seen everywhere, and changed at home alone."""
    account.trail(IsMultiRegionTrail=True)

    for name in ("audit", ARN):
        assert refused(account, operation, region="eu-west-1", **{member: name}) == (
            "InvalidHomeRegionException"
        )
    assert account.call("GetTrail", region="eu-west-1", Name="audit")["Trail"]["HomeRegion"] == REGION
    assert account.call("GetTrailStatus", region="eu-west-1", Name=ARN)["IsLogging"] is True


def test_shadow_trails(account: Account) -> None:
    """DescribeTrails shows trails of other regions if they are of all regions, or named by their ARN."""
    account.trail("wide", IsMultiRegionTrail=True)
    account.trail("narrow")
    account.trail("there", region="eu-west-1")

    def described(region: str, **request: Any) -> set[str]:
        answer = account.call("DescribeTrails", region=region, **request)
        return {trail["Name"] for trail in answer["trailList"]}

    narrow = ARN.replace("/audit", "/narrow")
    assert described(REGION) == {"wide", "narrow"}
    assert described("eu-west-1") == {"wide", "there"}
    assert described("eu-west-1", includeShadowTrails=False) == {"there"}
    assert described("eu-west-1", trailNameList=["wide", "narrow", "there"]) == {"wide", "there"}
    assert described("eu-west-1", trailNameList=[narrow]) == {"narrow"}
    assert described(REGION, trailNameList=["nobody"]) == set()
    assert refused(account, "DescribeTrails", trailNameList=["arn:x"]) == "CloudTrailARNInvalidException"
    assert refused(account, "GetTrail", region="eu-west-1", Name="narrow") == "TrailNotFoundException"
    assert len(account.call("ListTrails", region="ap-south-1")["Trails"]) == 3


def test_an_update_changes_what_it_names(account: Account) -> None:
    """What is left out stays, an empty text takes a setting away: so Terraform removes one."""
    account.trail(
        S3KeyPrefix="audit",
        SnsTopicName=TOPIC,
        KmsKeyId=KEY,
        CloudWatchLogsLogGroupArn=LOG_GROUP,
        CloudWatchLogsRoleArn=LOG_ROLE,
        EnableLogFileValidation=True,
        TagsList=[{"Key": "team", "Value": "fraud"}],
    )
    before = account.call("GetTrail", Name="audit")["Trail"]

    account.call("UpdateTrail", Name="audit")
    assert account.call("GetTrail", Name="audit")["Trail"] == before

    account.call("UpdateTrail", Name=ARN, S3BucketName="other-logs", IsMultiRegionTrail=True)
    assert account.call("GetTrail", Name="audit")["Trail"] == {
        **before,
        "S3BucketName": "other-logs",
        "IsMultiRegionTrail": True,
    }

    nothing: dict[str, Any] = {
        **logs("", ""),
        **dict.fromkeys(("S3KeyPrefix", "SnsTopicName", "KmsKeyId"), ""),
    }
    account.call("UpdateTrail", Name="audit", **nothing)
    bare = account.call("GetTrail", Name="audit")["Trail"]
    assert not {*nothing, "SnsTopicARN"} & bare.keys()
    assert bare["LogFileValidationEnabled"] is True
    assert account.call("GetTrailStatus", Name="audit")["IsLogging"] is True
    assert account.call("ListTags", ResourceIdList=[ARN])["ResourceTagList"][0]["TagsList"]


def test_logging_goes_on_and_off(account: Account) -> None:
    """The status has the times, as times and as texts; doing it twice changes nothing."""
    account.trail(start=False)
    account.call("StartLogging", Name="audit")
    account.clock.forward(minutes=5)
    account.call("StartLogging", Name="audit")
    on = account.call("GetTrailStatus", Name="audit")
    account.call("StopLogging", Name=ARN)
    account.clock.forward(minutes=5)
    account.call("StopLogging", Name="audit")
    off = account.call("GetTrailStatus", Name="audit")

    assert (on["IsLogging"], on["StartLoggingTime"]) == (True, NOON)
    assert (on["TimeLoggingStarted"], on["TimeLoggingStopped"]) == ("2026-11-24T12:00:00Z", "")
    assert (off["IsLogging"], off["StopLoggingTime"]) == (False, NOON + timedelta(minutes=5))
    assert off["TimeLoggingStopped"] == "2026-11-24T12:05:00Z"


def test_a_deleted_trail_leaves_nothing_behind(account: Account) -> None:
    """One of the same name is new: its status, tags and selectors are."""
    account.trail(TagsList=[{"Key": "team", "Value": "fraud"}])
    selectors = [{"ReadWriteType": "ReadOnly"}]
    account.call("PutEventSelectors", TrailName="audit", EventSelectors=selectors)
    account.happens(readOnly=True)
    account.delivery.deliver()
    assert "LatestDeliveryTime" in account.call("GetTrailStatus", Name="audit")

    account.call("DeleteTrail", Name="audit")
    assert account.call("DescribeTrails") == {"trailList": []}
    account.trail(start=False)

    assert "LatestDeliveryTime" not in account.call("GetTrailStatus", Name="audit")
    assert account.call("ListTags", ResourceIdList=[ARN])["ResourceTagList"][0]["TagsList"] == []
    assert account.call("GetTrail", Name="audit")["Trail"]["HasCustomEventSelectors"] is False


def test_tags(account: Account) -> None:
    """Tags are added, replaced, removed and listed; fifty of them at most."""
    account.trail(TagsList=[{"Key": "team", "Value": "fraud"}])
    account.call("AddTags", ResourceId=ARN, TagsList=[{"Key": "team", "Value": "risk"}, {"Key": "empty"}])
    assert account.call("ListTags", ResourceIdList=[ARN]) == {
        "ResourceTagList": [
            {"ResourceId": ARN, "TagsList": [{"Key": "team", "Value": "risk"}, {"Key": "empty", "Value": ""}]}
        ]
    }
    account.call("RemoveTags", ResourceId=ARN, TagsList=[{"Key": "empty"}, {"Key": "unknown"}])

    account.call("AddTags", ResourceId=ARN, TagsList=[{"Key": f"k{number}"} for number in range(49)])
    assert refused(account, "AddTags", ResourceId=ARN, TagsList=[{"Key": "k50"}]) == (
        "TagsLimitExceededException"
    )
    account.call("AddTags", ResourceId=ARN, TagsList=[{"Key": "k48", "Value": "again"}])
    too_many = [{"Key": f"k{number}"} for number in range(51)]
    assert refused(account, "CreateTrail", Name="other", S3BucketName=BUCKET, TagsList=too_many) == (
        "TagsLimitExceededException"
    )


@pytest.mark.parametrize(
    "tags",
    [
        [],
        [{"Key": ""}],
        [{"Key": "k" * 129}],
        [{"Key": "k", "Value": "v" * 257}],
        [{"Key": "k"}, {"Key": "k"}],
        [{"Key": "aws:k"}],
    ],
)
def test_wrong_tags(account: Account, tags: list[dict[str, str]]) -> None:
    """Too long, twice, or kept for AWS."""
    account.trail()
    account.call("AddTags", ResourceId=ARN, TagsList=[{"Key": "k" * 128, "Value": "v" * 256}])

    assert refused(account, "AddTags", ResourceId=ARN, TagsList=tags) == "InvalidTagParameterException"


@pytest.mark.parametrize("operation", ["AddTags", "RemoveTags", "ListTags"])
def test_tags_of_no_trail(account: Account, operation: str) -> None:
    """A name is no ARN here, and an ARN must be of a trail that is there."""

    def code(arn: str) -> str:
        if operation == "ListTags":
            return refused(account, operation, ResourceIdList=[arn])
        return refused(account, operation, ResourceId=arn, TagsList=[{"Key": "k"}])

    account.trail()
    assert code(STRANGE) == "ResourceNotFoundException"
    assert code("audit") == "CloudTrailARNInvalidException"
    assert code("arn:aws:s3:::bucket") == "CloudTrailARNInvalidException"


def test_selectors_are_kept_as_they_were_put(account: Account) -> None:
    """Either kind replaces the other; basic ones are completed, and make the trail a customised one."""
    account.trail()
    data = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::models/"]}]
    put = account.call(
        "PutEventSelectors",
        TrailName="audit",
        EventSelectors=[{"ReadWriteType": "WriteOnly", "DataResources": data}],
    )
    assert put == {
        "TrailARN": ARN,
        "EventSelectors": [
            {
                "ReadWriteType": "WriteOnly",
                "IncludeManagementEvents": True,
                "DataResources": data,
                "ExcludeManagementEventSources": [],
            }
        ],
    }
    assert account.call("GetEventSelectors", TrailName=ARN) == put
    assert account.call("GetTrail", Name="audit")["Trail"]["HasCustomEventSelectors"] is True

    advanced = [{"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    account.call("PutEventSelectors", TrailName="audit", AdvancedEventSelectors=advanced)
    assert account.call("GetEventSelectors", TrailName="audit") == {
        "TrailARN": ARN,
        "AdvancedEventSelectors": advanced,
    }
    account.call("PutEventSelectors", TrailName="audit", EventSelectors=[{}])
    assert "AdvancedEventSelectors" not in account.call("GetEventSelectors", TrailName="audit")
    both: dict[str, Any] = {"EventSelectors": [{}], "AdvancedEventSelectors": advanced}
    for wrong in ({}, both):
        assert refused(account, "PutEventSelectors", TrailName="audit", **wrong) == (
            "InvalidEventSelectorsException"
        )


def test_there_are_no_insights(account: Account) -> None:
    """Reading them says so by the error that AWS has for it."""
    account.trail()

    assert refused(account, "GetInsightSelectors", TrailName="audit") == "InsightNotEnabledException"


@pytest.mark.parametrize(
    "operation",
    ["CreateEventDataStore", "StartQuery", "CreateChannel", "GetImport", "PutInsightSelectors"],
)
def test_what_is_not_here_says_so(account: Account, operation: str) -> None:
    """Lakes, channels and the like are refused, not ignored."""
    assert refused(account, operation) == "UnsupportedOperationException"


def test_public_keys_are_listed_for_the_time_they_are_valid(account: Account) -> None:
    """Each region has its own, which does not change; never the private half."""
    assert account.call("ListPublicKeys") == account.call("ListPublicKeys")

    def listed(region: str = REGION, **request: Any) -> int:
        return len(account.call("ListPublicKeys", region=region, **request)["PublicKeyList"])

    hour, year = timedelta(hours=1), timedelta(days=365)
    assert listed() == listed(StartTime=NOON, EndTime=NOON) == 1
    assert account.call("ListPublicKeys", region="eu-west-1") != account.call("ListPublicKeys")
    assert listed(EndTime=NOON - 2 * hour) == listed(StartTime=NOON + year + hour) == 0
    key = account.call("ListPublicKeys")["PublicKeyList"][0]
    members = _MODEL.shape_for("PublicKey").members  # type: ignore[attr-defined]  # a structure has them
    assert key.keys() == members.keys()
    assert refused(account, "ListPublicKeys", StartTime=NOON, EndTime=NOON - hour) == (
        "InvalidTimeRangeException"
    )


def test_an_error_that_cloudtrail_does_not_have() -> None:
    """Is a mistake of ours, found when it is made."""
    with pytest.raises(LookupError):
        trail_error("NoSuchException", "")
