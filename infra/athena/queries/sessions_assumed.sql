-- name: Sessions assumed
-- description: Every AssumeRole, newest first: who took which role, under which session name and source identity,
--   and the token (jti) and team it was tagged with. A persona's session whose token no log of the service
--   announces was not opened by the service. All
--   regions of the table: a role can be assumed at the STS of any.
-- parameters:
--   from: first moment of the range, UTC, '2026-11-01 00:00:00'
--   to: the moment before which the range ends, UTC
SELECT DISTINCT
  event_id,
  time,
  region,
  actor AS caller,
  role AS caller_role,
  json_extract_scalar(request_parameters, '$.roleArn') AS role_arn,
  json_extract_scalar(request_parameters, '$.roleSessionName') AS session_name,
  json_extract_scalar(request_parameters, '$.sourceIdentity') AS source_identity,
  element_at(
    transform(
      filter(
        TRY_CAST(json_extract(request_parameters, '$.tags') AS ARRAY(MAP(VARCHAR, VARCHAR))),
        tag -> element_at(tag, 'key') = 'jti'),
      tag -> element_at(tag, 'value')),
    1) AS token_id,
  element_at(
    transform(
      filter(
        TRY_CAST(json_extract(request_parameters, '$.tags') AS ARRAY(MAP(VARCHAR, VARCHAR))),
        tag -> element_at(tag, 'key') = 'team'),
      tag -> element_at(tag, 'value')),
    1) AS team,
  json_extract_scalar(response_elements, '$.credentials.accessKeyId') AS access_key_id,
  outcome,
  error_code,
  source_ip,
  user_agent
FROM ${database}.audit_records
WHERE day >= date_format(CAST(? /* from */ AS timestamp), '%Y/%m/%d')
  AND day <= date_format(CAST(? /* to */ AS timestamp) + INTERVAL '1' DAY, '%Y/%m/%d')
  AND time >= CAST(? /* from */ AS timestamp)
  AND time < CAST(? /* to */ AS timestamp)
  AND action = 'sts:AssumeRole'
ORDER BY time DESC, event_id DESC
