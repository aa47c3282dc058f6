-- Every record of the trail as the audit API tells of it, as often as it was delivered, with where it lies.
--
-- "region" and "day" come from the table as they are: a condition on them says which folders are read and paid for.
-- Removing duplicates by event_id here would undo that: Athena pushes a condition through a window or a grouping
-- only if it is on what is grouped by, so that a query of one day would read the whole trail. The named queries
-- therefore say SELECT DISTINCT, without "day": copies of a record are alike in all else, also where they were
-- delivered on two days.
--
-- What a caller could choose (keys, prefixes, dispositions) tells of a model only what the store itself could have
-- written, else NULL. The column "key" is what was sent. No value can make a query fail. Expressions are anchored
-- with \A and \z, since a key may hold line breaks. url_decode takes "+" for a space and fails at a "%" that begins
-- no escape, so both are escaped before.
CREATE OR REPLACE VIEW ${database}.audit_records AS
WITH told AS (
  SELECT
    region,
    day,
    eventid,
    TRY(date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ')) AS time,
    split_part(eventsource, '.', 1) AS service,
    eventsource,
    eventname,
    useridentity.type AS identity_type,
    useridentity.principalid AS identity_principal,
    useridentity.arn AS identity_arn,
    useridentity.username AS identity_user_name,
    useridentity.invokedby AS invoked_by,
    useridentity.sessioncontext.sourceidentity AS source_identity,
    useridentity.sessioncontext.sessionissuer.arn AS issuer_arn,
    useridentity.sessioncontext.sessionissuer.username AS issuer_name,
    nullif(errorcode, '') AS failure,
    errorcode,
    sourceipaddress,
    useragent,
    requestid,
    coalesce(readonly = 'true', regexp_like(eventname, '\A(?:Get|Head|List)')) AS reads,
    requestparameters,
    responseelements,
    json_extract_scalar(requestparameters, '$.bucketName') AS bucket_name,
    json_extract_scalar(requestparameters, '$.key') AS key,
    json_extract_scalar(requestparameters, '$.prefix') AS key_prefix,
    json_extract_scalar(requestparameters, '$["x-amz-copy-source"]') AS copy_source,
    json_extract_scalar(requestparameters, '$["response-content-disposition"]') AS disposition,
    regexp_extract(
      json_extract_scalar(requestparameters, '$.encryptionContext["aws:s3:arn"]'),
      '\Aarn:[a-z-]+:s3:::((?s:.*))\z',
      1) AS encrypted,
    json_extract_scalar(additionaleventdata, '$.AuthenticationMethod') AS auth_method,
    TRY_CAST(truncate(TRY_CAST(json_extract_scalar(additionaleventdata, '$.bytesTransferredIn') AS double)) AS bigint)
      AS bytes_in,
    TRY_CAST(truncate(TRY_CAST(json_extract_scalar(additionaleventdata, '$.bytesTransferredOut') AS double)) AS bigint)
      AS bytes_out
  FROM ${database}.${table}
),
-- What the call named in the store's bucket, and what it copied from there. A data key's encryption context
-- names the object it belongs to.
pointed AS (
  SELECT
    *,
    CASE
      WHEN eventsource = 's3.amazonaws.com' AND bucket_name = '${models_bucket}' THEN coalesce(key, key_prefix)
      WHEN eventsource = 'kms.amazonaws.com' AND starts_with(encrypted, '${models_bucket}/')
        THEN substr(encrypted, length('${models_bucket}/') + 1)
    END AS own,
    CASE
      WHEN eventsource = 's3.amazonaws.com' AND (key IS NOT NULL OR bucket_name <> '${models_bucket}' OR bucket_name IS NULL)
        THEN regexp_replace(
          TRY(url_decode(regexp_replace(
            replace(replace(split_part(copy_source, '?versionId=', 1), '+', '%2B'), '%', '%25'),
            '%25([0-9A-Fa-f]{2})',
            '%$1'))),
          '\A/',
          '')
    END AS copied,
    TRY(url_decode(regexp_replace(
      replace(replace(disposition, '+', '%2B'), '%', '%25'),
      '%25([0-9A-Fa-f]{2})',
      '%$1'))) AS disposition_decoded
  FROM told
),
-- Where it lies. Two shapes of keys name a model: as a folder, or as the name of a JSON file.
placed AS (
  SELECT
    *,
    CASE
      WHEN regexp_like(
        own,
        '\A(?:aliases|approvals|authors|blobs|findings|manifests|moves|protected|tombstones|uploads|verdicts)/[a-z0-9][a-z0-9-]{0,38}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}/|\A(?:cards|releases|settings)/[a-z0-9][a-z0-9-]{0,38}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}\.json\z')
        THEN own
      WHEN starts_with(copied, '${models_bucket}/') THEN substr(copied, length('${models_bucket}/') + 1)
    END AS place,
    CASE
      WHEN own IS NOT NULL THEN own
      WHEN starts_with(copied, '${models_bucket}/') THEN substr(copied, length('${models_bucket}/') + 1)
    END AS pointed_at
  FROM pointed
),
named AS (
  SELECT
    *,
    coalesce(
      regexp_extract(
        place,
        '\A(?:aliases|approvals|authors|blobs|findings|manifests|moves|protected|tombstones|uploads|verdicts)/([a-z0-9][a-z0-9-]{0,38}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})/',
        1),
      regexp_extract(
        place,
        '\A(?:cards|releases|settings)/([a-z0-9][a-z0-9-]{0,38}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})\.json\z',
        1)
    ) AS model,
    -- The extension parameter that downloads are signed with: once, as the last, else nobody can tell which is
    -- meant. \x3B is a semicolon, which some clients would take for the end of the statement.
    CASE WHEN eventsource = 's3.amazonaws.com' AND key IS NOT NULL AND starts_with(own, 'blobs/') AND place = own THEN
      coalesce(
        CASE
          WHEN disposition
            = regexp_replace(disposition, '\x3B smas="[^"]+"', '') || regexp_extract(disposition, '\x3B smas="[^"]+"')
            THEN regexp_extract(disposition, '\x3B smas="([^"]+)"', 1)
        END,
        CASE
          WHEN disposition_decoded
            = regexp_replace(disposition_decoded, '\x3B smas="[^"]+"', '')
            || regexp_extract(disposition_decoded, '\x3B smas="[^"]+"')
            THEN regexp_extract(disposition_decoded, '\x3B smas="([^"]+)"', 1)
        END)
    END AS signed
  FROM placed
),
numbered AS (
  SELECT
    *,
    CASE WHEN model IS NOT NULL THEN
      coalesce(
        9999999999 - CAST(regexp_extract(place, '\A(?:manifests|verdicts)/[^/]*/[^/]*/([0-9]{10})\.json\z', 1) AS bigint),
        CAST(regexp_extract(place, '\A(?:approvals|authors)/[^/]*/[^/]*/([1-9][0-9]{0,8})/[^/]+\.json\z', 1) AS bigint),
        CAST(regexp_extract(place, '\Amoves/[^/]*/[^/]*/[^/]+/([1-9][0-9]{0,8})/[^/]+\.json\z', 1) AS bigint),
        CAST(regexp_extract(place, '\Atombstones/[^/]*/[^/]*/([1-9][0-9]{0,8})\.json\z', 1) AS bigint))
    END AS key_version,
    CASE WHEN starts_with(signed, model || '/') THEN
      regexp_extract(substr(signed, length(model) + 2), '\A([1-9][0-9]{0,8})/', 1)
    END AS signed_version,
    CASE WHEN starts_with(signed, model || '/') THEN
      TRY(url_decode(regexp_replace(
        replace(replace(
          regexp_extract(substr(signed, length(model) + 2), '\A[1-9][0-9]{0,8}/((?s:.+))\z', 1),
          '+', '%2B'), '%', '%25'),
        '%25([0-9A-Fa-f]{2})',
        '%$1')))
    END AS signed_path
  FROM named
),
-- A path is one that can be published. U+FFFD is what url_decode makes of bytes that are not UTF-8.
checked AS (
  SELECT
    *,
    length(to_utf8(signed_path)) BETWEEN 1 AND 512
      AND NOT regexp_like(signed_path, '\p{Cc}|\\|\A/|(?:\A|/)\.{0,2}(?:/|\z)')
      AND strpos(signed_path, chr(65533)) = 0
      AND normalize(signed_path, NFC) = signed_path AS publishable
  FROM numbered
)
SELECT
  eventid AS event_id,
  time,
  CASE
    WHEN identity_type = 'AssumedRole' THEN
      coalesce(
        nullif(regexp_extract(identity_arn, '[^/]*\z'), ''),
        nullif(regexp_extract(identity_principal, '[^:]*\z'), ''))
    WHEN identity_type = 'IAMUser' THEN identity_user_name
    WHEN identity_type = 'Root' THEN 'root'
    WHEN identity_type = 'AWSService' OR identity_type IS NULL THEN invoked_by
  END AS actor,
  source_identity AS subject,
  CASE
    WHEN starts_with(issuer_arn, '${role_prefix}')
      THEN coalesce(nullif(substr(issuer_arn, length('${role_prefix}') + 1), ''), issuer_name)
    ELSE issuer_name
  END AS role,
  service || ':' || eventname AS action,
  -- A copy out of the store names what was copied.
  CASE WHEN length(to_utf8(pointed_at)) BETWEEN 1 AND 1024 THEN pointed_at END AS key,
  model,
  CASE
    WHEN publishable THEN CAST(signed_version AS bigint)
    WHEN key_version BETWEEN 1 AND 999999999 THEN key_version
  END AS version,
  CASE WHEN publishable THEN signed_path END AS path,
  CASE WHEN model IS NOT NULL THEN
    regexp_extract(place, '\Ablobs/[^/]*/[^/]*/([0-9a-f]{64})\z', 1)
  END AS sha256,
  CASE
    WHEN reads AND bytes_out >= 0 THEN bytes_out
    WHEN NOT reads AND bytes_in >= 0 THEN bytes_in
  END AS bytes,
  CASE
    WHEN failure IS NULL THEN 'success'
    WHEN regexp_like(failure, '\AAccessDenied|UnauthorizedOperation\z') THEN 'denied'
    ELSE 'error'
  END AS outcome,
  errorcode AS error_code,
  sourceipaddress AS source_ip,
  useragent AS user_agent,
  auth_method,
  requestid AS request_id,
  region,
  day,
  requestparameters AS request_parameters,
  responseelements AS response_elements
FROM checked
-- What has no id, time or name is no record of a call.
WHERE eventid IS NOT NULL AND time IS NOT NULL AND eventsource IS NOT NULL AND eventname IS NOT NULL
