# A start-up: one team, ten people, a terabyte. terraform plan -var-file=small.tfvars -var image=…
region       = "eu-central-1"
teams        = ["fraud"]
alarm_emails = ["ml-platform@example.com"]

machines = {
  ci = ["data-scientist@fraud"]
}

capacity = {
  concurrency   = 20
  verifications = 5
}
