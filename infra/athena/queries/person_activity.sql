-- name: What a person did
-- description: Every recorded call of one person, newest first, by the session's name (a user name) or by the
--   source identity (the stable subject), whichever is given.
-- parameters:
--   from: first moment of the range, UTC, '2026-11-01 00:00:00'
--   to: the moment before which the range ends, UTC
--   actor: a user name or a subject
SELECT DISTINCT
  event_id, time, actor, subject, role, action, key, model, version, path, sha256, bytes, outcome, error_code,
  source_ip, user_agent, auth_method, request_id
FROM ${database}.audit_records
WHERE region = '${region}'
  AND day >= date_format(CAST(? /* from */ AS timestamp), '%Y/%m/%d')
  AND day <= date_format(CAST(? /* to */ AS timestamp) + INTERVAL '1' DAY, '%Y/%m/%d')
  AND time >= CAST(? /* from */ AS timestamp)
  AND time < CAST(? /* to */ AS timestamp)
  AND ? /* actor */ IN (actor, subject)
ORDER BY time DESC, event_id DESC
