# The trail and S3's access logs as tables, which Athena reads where they lie. They are what `athena/cloudtrail_table.sql` and
# `athena/access_log_table.sql` would make (there is why they are as they are); a test holds each pair together.

locals {
  audit_database = replace("${var.name}_audit", "-", "_")

  trail_folder      = "s3://${local.athena_values.bucket}/${local.athena_values.prefix}AWSLogs/${local.account}/CloudTrail"
  access_log_folder = "s3://${local.access_log_bucket}/${local.access_log_prefix}${local.account}/${var.region}/${local.bucket}"

  # Partitions are made from this pattern and not looked up: https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
  projection_by_day = {
    "EXTERNAL"                     = "TRUE"
    "projection.enabled"           = "true"
    "projection.day.type"          = "date"
    "projection.day.format"        = "yyyy/MM/dd"
    "projection.day.interval"      = "1"
    "projection.day.interval.unit" = "DAYS"
    "projection.day.range"         = "${local.athena_values.first_day},NOW"
  }

  trail_attributes = "struct<mfaauthenticated:string,creationdate:string>"
  trail_issuer     = "struct<type:string,principalid:string,arn:string,accountid:string,username:string>"
  trail_federation = "struct<federatedprovider:string,attributes:map<string,string>>"
  trail_session    = "struct<attributes:${local.trail_attributes},sessionissuer:${local.trail_issuer},ec2roledelivery:string,webidfederationdata:${local.trail_federation},sourceidentity:string>"
  trail_behalf     = "struct<userid:string,identitystorearn:string>"
  trail_identity   = "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,username:string,onbehalfof:${local.trail_behalf},sessioncontext:${local.trail_session}>"

  # Name and type of each column, in order.
  trail_columns = [
    ["eventversion", "string"],
    ["useridentity", local.trail_identity],
    ["eventtime", "string"],
    ["eventsource", "string"],
    ["eventname", "string"],
    ["awsregion", "string"],
    ["sourceipaddress", "string"],
    ["useragent", "string"],
    ["errorcode", "string"],
    ["errormessage", "string"],
    ["requestparameters", "string"],
    ["responseelements", "string"],
    ["additionaleventdata", "string"],
    ["requestid", "string"],
    ["eventid", "string"],
    ["readonly", "string"],
    ["resources", "array<struct<arn:string,accountid:string,type:string>>"],
    ["eventtype", "string"],
    ["apiversion", "string"],
    ["recipientaccountid", "string"],
    ["serviceeventdetails", "string"],
    ["sharedeventid", "string"],
    ["vpcendpointid", "string"],
    ["vpcendpointaccountid", "string"],
    ["eventcategory", "string"],
    ["addendum", "struct<reason:string,updatedfields:string,originalrequestid:string,originaleventid:string>"],
    ["sessioncredentialfromconsole", "string"],
    ["edgedevicedetails", "string"],
    ["tlsdetails", "struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>"],
  ]

  access_log_columns = [
    "bucketowner", "bucket_name", "requestdatetime", "remoteip", "requester", "requestid", "operation", "key", "request_uri",
    "httpstatus", "errorcode", "bytessent", "objectsize", "totaltime", "turnaroundtime", "referrer", "useragent", "versionid",
    "hostid", "sigv", "ciphersuite", "authtype", "endpoint", "tlsversion", "accesspointarn", "aclrequired",
  ]

  access_log_line = "^(\\S+) (\\S+) \\[([^\\]]*)\\] (\\S+) (\\S+) (\\S+) (\\S+) (\\S+) (\"[^\"]*\"|-) (\\S+) (\\S+) (\\S+) (\\S+) (\\S+) (\\S+) (\"[^\"]*\"|-) (\"[^\"]*\"|-) (\\S+)(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?(?: (\\S+))?.*$"
}

resource "aws_glue_catalog_database" "audit" {
  name        = local.audit_database
  description = "Who touched what in ${var.name}: the trail, and S3's access logs."
}

resource "aws_glue_catalog_table" "cloudtrail" {
  name          = local.athena_values.table
  database_name = aws_glue_catalog_database.audit.name
  description   = "CloudTrail records as delivered, some of them twice"
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(local.projection_by_day, {
    "comment"                   = "CloudTrail records as delivered, some of them twice"
    "projection.region.type"    = "enum"
    "projection.region.values"  = local.athena_values.regions
    "storage.location.template" = "${local.trail_folder}/$${region}/$${day}"
  })

  partition_keys {
    name = "region"
    type = "string"
  }

  partition_keys {
    name = "day"
    type = "string"
  }

  storage_descriptor {
    location      = "${local.trail_folder}/"
    input_format  = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hive.hcatalog.data.JsonSerDe"
      parameters            = { "serialization.format" = "1" }
    }

    dynamic "columns" {
      for_each = local.trail_columns

      content {
        name = columns.value[0]
        type = columns.value[1]
      }
    }
  }
}

resource "aws_glue_catalog_table" "access_log" {
  name          = local.athena_values.access_log_table
  database_name = aws_glue_catalog_database.audit.name
  description   = "S3 server access logs, best effort, hours late, without source identity"
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(local.projection_by_day, {
    "comment"                   = "S3 server access logs, best effort, hours late, without source identity"
    "storage.location.template" = "${local.access_log_folder}/$${day}"
  })

  partition_keys {
    name = "day"
    type = "string"
  }

  storage_descriptor {
    location      = "${local.access_log_folder}/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.RegexSerDe"

      parameters = {
        "serialization.format" = "1"
        "input.regex"          = local.access_log_line
      }
    }

    dynamic "columns" {
      for_each = local.access_log_columns

      content {
        name = columns.value
        type = "string"
      }
    }
  }
}
