-- The trail's log files as a table: one row for each record, one partition for each region and day of delivery.
--
-- Columns, input format and partition projection are those of AWS's page for CloudTrail
-- (https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html), besides
-- sourceidentity, which that page lacks, and the region, so that calls to other regions are not overlooked.
-- The SerDe is Hive's for JSON, as on that page, and not the older CloudTrailSerde, which is "unable to
-- predictably deserialize" requestparameters, responseelements and additionaleventdata
-- (https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-serde.html): they are JSON texts here, to be taken
-- apart with json_extract_scalar.
--
-- CloudTrail files a record under the day it delivered it, so an event shortly before midnight, UTC, may lie
-- under the next day (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html).
-- Projection makes the partitions from the pattern below: none is ever added by hand, and a query that does
-- not restrict "day" reads all of them from ${first_day} on.
CREATE EXTERNAL TABLE IF NOT EXISTS ${database}.${table} (
  eventversion STRING,
  useridentity STRUCT<
    type: STRING,
    principalid: STRING,
    arn: STRING,
    accountid: STRING,
    invokedby: STRING,
    accesskeyid: STRING,
    username: STRING,
    onbehalfof: STRUCT<
      userid: STRING,
      identitystorearn: STRING>,
    sessioncontext: STRUCT<
      attributes: STRUCT<
        mfaauthenticated: STRING,
        creationdate: STRING>,
      sessionissuer: STRUCT<
        type: STRING,
        principalid: STRING,
        arn: STRING,
        accountid: STRING,
        username: STRING>,
      ec2roledelivery: STRING,
      webidfederationdata: STRUCT<
        federatedprovider: STRING,
        attributes: MAP<STRING, STRING>>,
      sourceidentity: STRING>>,
  eventtime STRING,
  eventsource STRING,
  eventname STRING,
  awsregion STRING,
  sourceipaddress STRING,
  useragent STRING,
  errorcode STRING,
  errormessage STRING,
  requestparameters STRING,
  responseelements STRING,
  additionaleventdata STRING,
  requestid STRING,
  eventid STRING,
  readonly STRING,
  resources ARRAY<STRUCT<
    arn: STRING,
    accountid: STRING,
    type: STRING>>,
  eventtype STRING,
  apiversion STRING,
  recipientaccountid STRING,
  serviceeventdetails STRING,
  sharedeventid STRING,
  vpcendpointid STRING,
  vpcendpointaccountid STRING,
  eventcategory STRING,
  addendum STRUCT<
    reason: STRING,
    updatedfields: STRING,
    originalrequestid: STRING,
    originaleventid: STRING>,
  sessioncredentialfromconsole STRING,
  edgedevicedetails STRING,
  tlsdetails STRUCT<
    tlsversion: STRING,
    ciphersuite: STRING,
    clientprovidedhostheader: STRING>
)
COMMENT 'CloudTrail records as delivered, some of them twice'
PARTITIONED BY (region STRING, day STRING)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://${bucket}/${prefix}AWSLogs/${account}/CloudTrail/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.region.type' = 'enum',
  'projection.region.values' = '${regions}',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'projection.day.range' = '${first_day},NOW',
  'storage.location.template' = 's3://${bucket}/${prefix}AWSLogs/${account}/CloudTrail/$${region}/$${day}'
)
