-- S3's server access logs of the models' bucket, as a table: a second witness besides CloudTrail, best effort.
--
-- Needs logging with date-partitioned prefixes, whose files lie under
-- <prefix><account>/<region>/<bucket>/yyyy/MM/dd/
-- (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html). Fields in their order:
-- https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html. What that page may still append is
-- left in the line unread. "-" stands for unknown. "key" is percent-encoded, twice.
--
-- The RegexSerDe makes a row of NULLs of a line that the expression does not match
-- (https://docs.aws.amazon.com/athena/latest/ug/regex-serde.html): count them before relying on an answer.
-- Backslashes are doubled because Hive reads the literal first.
CREATE EXTERNAL TABLE IF NOT EXISTS ${database}.${access_log_table} (
  bucketowner STRING,
  bucket_name STRING,
  requestdatetime STRING,
  remoteip STRING,
  requester STRING,
  requestid STRING,
  operation STRING,
  key STRING,
  request_uri STRING,
  httpstatus STRING,
  errorcode STRING,
  bytessent STRING,
  objectsize STRING,
  totaltime STRING,
  turnaroundtime STRING,
  referrer STRING,
  useragent STRING,
  versionid STRING,
  hostid STRING,
  sigv STRING,
  ciphersuite STRING,
  authtype STRING,
  endpoint STRING,
  tlsversion STRING,
  accesspointarn STRING,
  aclrequired STRING
)
COMMENT 'S3 server access logs, best effort, hours late, without source identity'
PARTITIONED BY (day STRING)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES (
  'input.regex' = '^(\\S+) (\\S+) \\[([^\\]]*)\\] (\\S+) (\\S+) (\\S+) (\\S+) (\\S+) ("[^"]*"|-) (\\S+) (\\S+) (\\S+) (\\S+) (\\S+) (\\S+) ("[^"]*"|-) ("[^"]*"|-) (\\S+)(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?.*$'
)
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://${access_log_bucket}/${access_log_prefix}${account}/${region}/${models_bucket}/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'projection.day.range' = '${first_day},NOW',
  'storage.location.template' = 's3://${access_log_bucket}/${access_log_prefix}${account}/${region}/${models_bucket}/$${day}'
)
