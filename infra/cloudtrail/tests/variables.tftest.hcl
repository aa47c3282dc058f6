# What the module takes, and what it refuses before anything is made.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
}

variables {
  name            = "smas"
  bucket          = "smas-trail"
  data_event_arns = ["arn:aws:s3:::smas-models/"]
}

run "the_least_and_the_most_are_taken" {
  command = plan

  variables {
    name            = "abc"
    bucket          = "abc"
    data_event_arns = ["arn:aws-us-gov:s3:::abc/", "arn:aws:s3:::my.bucket/folder/inside/"]
    log_days        = 3653
    lock_mode       = "COMPLIANCE"
    lock_days       = 36500
    keep_days       = 36501
    access_log      = { bucket = "logs", prefix = "of/trail/" }
  }
}

run "the_shortest_lock_is_taken" {
  command = plan

  variables {
    log_days  = 365
    lock_days = 1
    keep_days = 2
  }
}

run "a_short_name_is_refused" {
  command = plan
  variables { name = "ab" }
  expect_failures = [var.name]
}

run "a_name_with_capitals_is_refused" {
  command = plan
  variables { name = "Smas" }
  expect_failures = [var.name]
}

run "a_name_with_two_hyphens_is_refused" {
  command = plan
  variables { name = "smas--trail" }
  expect_failures = [var.name]
}

run "a_bucket_with_dots_is_refused" {
  command = plan
  variables { bucket = "smas.trail" }
  expect_failures = [var.bucket]
}

run "a_long_bucket_is_refused" {
  command = plan
  variables { bucket = "smas-trail-smas-trail-smas-trail-smas-trail-smas-trail-smas-trai" }
  expect_failures = [var.bucket]
}

run "no_data_events_are_refused" {
  command = plan
  variables { data_event_arns = [] }
  expect_failures = [var.data_event_arns]
}

run "data_events_of_every_bucket_are_refused" {
  command = plan
  variables { data_event_arns = ["arn:aws:s3:::"] }
  expect_failures = [var.data_event_arns]
}

run "data_events_of_buckets_with_longer_names_are_refused" {
  command = plan
  variables { data_event_arns = ["arn:aws:s3:::smas-models"] }
  expect_failures = [var.data_event_arns]
}

run "a_wildcard_in_data_events_is_refused" {
  command = plan
  variables { data_event_arns = ["arn:aws:s3:::smas-models/*"] }
  expect_failures = [var.data_event_arns]
}

run "a_log_of_less_than_a_year_is_refused" {
  command = plan
  variables { log_days = 180 }
  expect_failures = [var.log_days]
}

run "days_that_cloudwatch_logs_does_not_know_are_refused" {
  command = plan
  variables { log_days = 366 }
  expect_failures = [var.log_days]
}

run "another_mode_is_refused" {
  command = plan
  variables { lock_mode = "NONE" }
  expect_failures = [var.lock_mode]
}

run "no_lock_is_refused" {
  command = plan
  variables { lock_days = 0 }
  expect_failures = [var.lock_days]
}

run "a_lock_of_more_than_a_century_is_refused" {
  command = plan
  variables { lock_days = 36501 }
  expect_failures = [var.lock_days]
}

run "a_lock_of_part_of_a_day_is_refused" {
  command = plan
  variables { lock_days = 1.5 }
  expect_failures = [var.lock_days]
}

run "an_end_before_the_lock_s_is_refused" {
  command = plan
  variables {
    lock_days = 365
    keep_days = 365
  }
  expect_failures = [var.keep_days]
}

run "an_access_log_in_the_trail_s_own_bucket_is_refused" {
  command = plan
  variables { access_log = { bucket = "smas-trail", prefix = "trail/" } }
  expect_failures = [var.access_log]
}

run "a_prefix_without_its_slash_is_refused" {
  command = plan
  variables { access_log = { bucket = "smas-access-logs", prefix = "trail" } }
  expect_failures = [var.access_log]
}
