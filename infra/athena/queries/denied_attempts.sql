-- name: Denied attempts
-- description: Every recorded call that AWS refused, newest first. Refusals of the service itself never reached
--   AWS and stand in its own log, not here.
-- parameters:
--   from: first moment of the range, UTC, '2026-11-01 00:00:00'
--   to: the moment before which the range ends, UTC
SELECT DISTINCT
  event_id, time, actor, subject, role, action, key, model, version, path, sha256, bytes, outcome, error_code,
  source_ip, user_agent, auth_method, request_id
FROM ${database}.audit_records
WHERE region = '${region}'
  AND day >= date_format(CAST(? /* from */ AS timestamp), '%Y/%m/%d')
  AND day <= date_format(CAST(? /* to */ AS timestamp) + INTERVAL '1' DAY, '%Y/%m/%d')
  AND time >= CAST(? /* from */ AS timestamp)
  AND time < CAST(? /* to */ AS timestamp)
  AND outcome = 'denied'
ORDER BY time DESC, event_id DESC
