# The events' queue and its dead letters. Nothing is asked of AWS: the provider is a mock.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "replica"
  source          = "./tests/mocks"
  override_during = plan
}

override_resource {
  target          = aws_kms_key.operations
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:111122223333:key/operations" }
}

override_resource {
  target          = aws_sqs_queue.events
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-central-1:111122223333:smas-events" }
}

override_resource {
  target          = aws_sqs_queue.events_dead
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-central-1:111122223333:smas-events-dead" }
}

run "queues_are_encrypted_keep_messages_for_a_person_and_hide_them_from_twins" {
  command = plan

  assert {
    condition = (
      endswith(local.placeholders.events_queue_arn, ":${aws_sqs_queue.events.name}")
      && aws_sqs_queue.events_dead.name == "${aws_sqs_queue.events.name}-dead"
    )
    error_message = "Policies name the events' queue by its ARN, and its dead letters' by that and -dead."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.events, aws_sqs_queue.events_dead] : queue.kms_master_key_id == "arn:aws:kms:eu-central-1:111122223333:key/operations"])
    error_message = "Both queues must be encrypted under the key of operations."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.events, aws_sqs_queue.events_dead] : queue.message_retention_seconds == 1209600])
    error_message = "Both queues must keep messages as long as SQS can."
  }

  assert {
    condition     = aws_sqs_queue.events.visibility_timeout_seconds >= 6 * aws_lambda_function.verifier.timeout
    error_message = "A message must be hidden for six times as long as the verifier may run."
  }

  assert {
    condition     = aws_sqs_queue.events.receive_wait_time_seconds == 20
    error_message = "The queue must be polled long."
  }
}

run "what_fails_five_times_goes_to_the_dead_letters_and_nothing_else_does" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.events.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:eu-central-1:111122223333:smas-events-dead"
      maxReceiveCount     = 5
    }
    error_message = "What the verifier cannot work on must go to the dead letters, after five attempts."
  }

  assert {
    condition = jsondecode(aws_sqs_queue_redrive_allow_policy.events_dead.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-central-1:111122223333:smas-events"]
    }
    error_message = "The dead letters must be those of the events' queue alone."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.events.redrive_allow_policy) == { redrivePermission = "denyAll" }
    error_message = "No queue may use the events' queue for its dead letters."
  }
}

run "the_queue_takes_the_buckets_events_alone_and_nothing_without_tls" {
  command = plan

  assert {
    condition = [for statement in jsondecode(aws_sqs_queue_policy.events.policy).Statement : statement if statement.Effect == "Allow"] == [{
      Sid       = "BucketNotifies"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = ["arn:aws:sqs:eu-central-1:111122223333:smas-events"]
      Condition = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::smas-models-111122223333-eu-central-1" }
        StringEquals = { "aws:SourceAccount" = "111122223333" }
      }
    }]
    error_message = "Only S3 may send, for the models' bucket of this account."
  }

  assert {
    condition     = [for statement in jsondecode(aws_sqs_queue_policy.events_dead.policy).Statement : statement if statement.Effect == "Allow"] == []
    error_message = "The dead letters' policy gives nothing to anybody."
  }

  assert {
    condition = alltrue([for policy, arn in {
      (aws_sqs_queue_policy.events.policy)      = "arn:aws:sqs:eu-central-1:111122223333:smas-events"
      (aws_sqs_queue_policy.events_dead.policy) = "arn:aws:sqs:eu-central-1:111122223333:smas-events-dead"
      } : anytrue([for statement in jsondecode(policy).Statement :
        statement.Effect == "Deny" && statement.Principal == { AWS = "*" } && statement.Action == ["sqs:*"] && statement.Resource == [arn]
        && try(statement.Condition == { Bool = { "aws:SecureTransport" = "false" } }, false)
    ])])
    error_message = "Both queues must refuse what comes without TLS."
  }
}
