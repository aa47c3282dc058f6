# What the mocked AWS answers where a test needs more than a random word: an account, a partition, and ARNs that are some.

mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { name = "eu-central-1" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/smas/its-own" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:eu-central-1:111122223333:smas-its-own" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-central-1:111122223333:smas-alarms" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/smas-its-own" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smas-its-own" }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    id       = "eu-central-1_people"
    arn      = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_people"
    endpoint = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_people"
  }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:eu-central-1:111122223333:rule/smas-sweep" }
}

mock_resource "aws_cloudtrail" {
  defaults = { arn = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/smas" }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    id  = "smas-its-own"
    arn = "arn:aws:s3:::smas-its-own"
  }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = {
    id            = "store"
    api_endpoint  = "https://store.execute-api.eu-central-1.amazonaws.com"
    execution_arn = "arn:aws:execute-api:eu-central-1:111122223333:store"
  }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = { arn = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:smas-its-own" }
}
