-- The rows of the audit API, but for "published_as" and the service's own refusals: each event once.
--
-- For questions over the whole trail, and for reading along in a small one. It has no "day", so Athena reads
-- every folder for it: a question about a range is asked of audit_records, as the named queries do.
CREATE OR REPLACE VIEW ${database}.audit_events AS
SELECT DISTINCT
  event_id,
  time,
  actor,
  subject,
  role,
  action,
  key,
  model,
  version,
  path,
  sha256,
  bytes,
  outcome,
  error_code,
  source_ip,
  user_agent,
  auth_method,
  request_id
FROM ${database}.audit_records
WHERE region = '${region}'
