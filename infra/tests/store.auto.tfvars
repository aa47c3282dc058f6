# What every test file here begins with: a small store with everything at its default. Terraform loads it for tests alone.
region       = "eu-central-1"
image        = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/smas@sha256:0000000000000000000000000000000000000000000000000000000000000000"
teams        = ["fraud", "nlp"]
alarm_emails = ["alarms@example.com"]
