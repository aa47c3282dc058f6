-- name: Downloads per person
-- description: How many bytes of models each person fetched on each day, the most first: unusual egress stands
--   on top. A copy made inside S3 transfers nothing to its maker, and is counted apart. The verifier reads every
--   byte once, and is told by its role.
-- parameters:
--   from: first moment of the range, UTC, '2026-11-01 00:00:00'
--   to: the moment before which the range ends, UTC
SELECT
  date_format(time, '%Y-%m-%d') AS utc_date,
  actor,
  subject,
  role,
  sum(bytes) AS bytes,
  count_if(action IN ('s3:GetObject', 's3:SelectObjectContent')) AS reads,
  count_if(action IN ('s3:CopyObject', 's3:UploadPartCopy')) AS copies,
  count(DISTINCT model) AS models,
  count(DISTINCT sha256) AS files,
  count(DISTINCT source_ip) AS addresses
FROM (
  SELECT DISTINCT event_id, time, actor, subject, role, action, model, sha256, bytes, source_ip
  FROM ${database}.audit_records
  WHERE region = '${region}'
    AND day >= date_format(CAST(? /* from */ AS timestamp), '%Y/%m/%d')
    AND day <= date_format(CAST(? /* to */ AS timestamp) + INTERVAL '1' DAY, '%Y/%m/%d')
    AND time >= CAST(? /* from */ AS timestamp)
    AND time < CAST(? /* to */ AS timestamp)
    AND action IN ('s3:GetObject', 's3:SelectObjectContent', 's3:CopyObject', 's3:UploadPartCopy')
    AND outcome = 'success'
    AND sha256 IS NOT NULL
)
GROUP BY date_format(time, '%Y-%m-%d'), actor, subject, role
ORDER BY bytes DESC, utc_date, actor, role
