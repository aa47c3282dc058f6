# The store of `make rehearse`: the teams and the machine of the local stack, whose tests run on it, with a second region and an
# identity provider, so that nearly all of the configuration is applied (limits.py says what is not).
region         = "us-east-1"
replica_region = "us-west-2"
teams          = ["fraud", "nlp"]
alarm_emails   = ["ml-platform@example.com"]

machines = {
  deployer-fraud = ["deployer@fraud"]
}

identity_providers = {
  Bank = {
    saml_metadata_url = "https://sign-in.example.com/federation/metadata.xml"
    groups_attribute  = "http://schemas.xmlsoap.org/claims/Group"
    groups            = { "ML-Fraud" = ["data-scientist@fraud"] }
  }
}

# Nobody may undo COMPLIANCE, not even here.
audit_lock = {
  mode = "GOVERNANCE"
  days = 1
}
