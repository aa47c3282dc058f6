-- name: Who read a version
-- description: Who fetched or copied bytes of one version, how often and how much, the last reader first. A download
--   through the service names its version. Other reads (a presigned URL of somebody's own, the verifier) name only the
--   bytes, which count if they are among the digests of the version's manifest. Versions may share bytes.
-- parameters:
--   from: first moment of the range, UTC, '2026-11-01 00:00:00'
--   to: the moment before which the range ends, UTC
--   model: the model's full name, 'team/model'
--   version: the version's number
--   digests: the sha256 of the version's files, with commas between, '' to count only reads that name the version
SELECT
  actor,
  subject,
  role,
  count(*) AS reads,
  count(DISTINCT sha256) AS files,
  sum(bytes) AS bytes,
  min(time) AS first_read,
  max(time) AS last_read
FROM (
  SELECT DISTINCT event_id, time, actor, subject, role, sha256, version, bytes
  FROM ${database}.audit_records
  WHERE region = '${region}'
    AND day >= date_format(CAST(? /* from */ AS timestamp), '%Y/%m/%d')
    AND day <= date_format(CAST(? /* to */ AS timestamp) + INTERVAL '1' DAY, '%Y/%m/%d')
    AND time >= CAST(? /* from */ AS timestamp)
    AND time < CAST(? /* to */ AS timestamp)
    AND model = ? /* model */
    AND action IN ('s3:GetObject', 's3:SelectObjectContent', 's3:CopyObject', 's3:UploadPartCopy')
    AND outcome = 'success'
    AND sha256 IS NOT NULL
    AND (
      version = ? /* version */
      OR (version IS NULL AND contains(split(? /* digests */, ','), sha256)))
)
GROUP BY actor, subject, role
ORDER BY last_read DESC, actor, role
