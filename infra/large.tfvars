# A bank: many teams, 200 people and more, 50 terabytes, sign-in through its own identity provider, a second region, an audit that
# nobody can shorten. terraform plan -var-file=large.tfvars -var image=…
region         = "eu-central-1"
replica_region = "eu-west-1"
name           = "bank-models"
tags           = { CostCentre = "4711", DataClass = "confidential" }

teams = ["credit", "fraud", "markets", "nlp"]

machines = {
  credit-ci      = ["data-scientist@credit"]
  credit-serving = ["deployer@credit"]
  fraud-ci       = ["data-scientist@fraud"]
  fraud-serving  = ["deployer@fraud"]
}

identity_providers = {
  Bank = {
    saml_metadata_url = "https://sign-in.example.com/federation/metadata.xml"
    groups_attribute  = "http://schemas.xmlsoap.org/claims/Group"
    groups = {
      "ML-Credit"          = ["data-scientist@credit"]
      "ML-Credit-Approval" = ["approver@credit"]
      "ML-Fraud"           = ["data-scientist@fraud"]
      "ML-Fraud-Approval"  = ["approver@fraud"]
      "Compliance"         = ["compliance"]
      "Internal-Audit"     = ["auditor"]
      "Records"            = ["custodian"]
    }
  }
}

domain = {
  name            = "models.example.com"
  certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"
}

alarm_emails = ["ml-platform@example.com", "security-operations@example.com"]

capacity = {
  concurrency         = 200
  warm                = 5
  warm_most           = 50
  verifications       = 50
  requests_per_second = 1000
  burst               = 2000
}

storage_tier = "intelligent-tiering"
log_days     = 3653

audit_lock = {
  mode = "COMPLIANCE"
  days = 2555
}

alarm_thresholds = {
  egress_gib_per_hour   = 2000
  denied_calls_per_hour = 100
}
