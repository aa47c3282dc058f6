-- name: Changes to what guards the store
-- description: Every call, also a refused one, that changes or would change the trail, the keys, the buckets'
--   policies and locks, the roles or the alarms, newest first, with what it asked for. Deletions that bypass a
--   governance lock are among them. All regions of the table: IAM records its calls in one (us-east-1 in the
--   partition aws), wherever the store is.
-- parameters:
--   from: first moment of the range, UTC, '2026-11-01 00:00:00'
--   to: the moment before which the range ends, UTC
SELECT DISTINCT
  event_id, time, region, actor, subject, role, action, outcome, error_code, source_ip, user_agent,
  request_parameters
FROM ${database}.audit_records
WHERE day >= date_format(CAST(? /* from */ AS timestamp), '%Y/%m/%d')
  AND day <= date_format(CAST(? /* to */ AS timestamp) + INTERVAL '1' DAY, '%Y/%m/%d')
  AND time >= CAST(? /* from */ AS timestamp)
  AND time < CAST(? /* to */ AS timestamp)
  AND (
    regexp_like(action, '\Acloudtrail:(Create|Delete|Update|Start|Stop|Put|Add|Remove|Deregister|Register)')
    OR regexp_like(action, '\Akms:(Cancel|Create(Alias|Grant|Key)|Delete|Disable|Enable|Import|Put|Replicate|Retire|Revoke|Rotate|Schedule|Tag|Untag|Update)')
    OR regexp_like(action, '\As3:(Create|Delete|Put|Update)(Account|Bucket|PublicAccessBlock|ObjectLockConfiguration)')
    OR action IN ('s3:PutObjectRetention', 's3:PutObjectLegalHold', 's3:PutObjectAcl')
    OR regexp_like(action, '\Aiam:(Add|Attach|Change|Create|Deactivate|Delete|Detach|Enable|Put|Remove|Reset|Set|Tag|Untag|Update|Upload)')
    OR regexp_like(action, '\Alogs:(Associate|Delete|Disassociate|PutDestination|PutMetricFilter|PutResourcePolicy|PutRetentionPolicy|PutSubscriptionFilter|Tag|Untag)')
    OR regexp_like(action, '\Amonitoring:(Delete|Disable|Enable|PutAnomalyDetector|PutCompositeAlarm|PutDashboard|PutMetricAlarm|Set|Tag|Untag)')
    OR json_extract_scalar(request_parameters, '$["x-amz-bypass-governance-retention"]') = 'true')
ORDER BY time DESC, event_id DESC
