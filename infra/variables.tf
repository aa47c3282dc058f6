# Few, and none turns a protection off: what is not here is as it should be everywhere. Examples: `small.tfvars`, `large.tfvars`.

variable "region" {
  description = "The AWS region that the store is in, as eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, as eu-central-1."
  }
}

variable "account" {
  description = "The AWS account that the store belongs to: nothing is planned or applied with the credentials of another. null for whichever they are of."
  type        = string
  default     = null

  validation {
    condition     = var.account == null || can(regex("^[0-9]{12}$", var.account))
    error_message = "account must be the 12 digits of an AWS account, in quotation marks."
  }
}

variable "name" {
  description = "The beginning of the name of everything here, so that one account can hold several stores."
  type        = string
  default     = "smas"

  validation {
    # The longest bucket's name is this, "-access-logs-", an account's 12 digits, "-" and a region of up to 14: at most 63.
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must have 3 to 18 characters: lower-case letters, digits, single hyphens inside; it starts with a letter."
  }

  validation {
    # It begins the sign-in page's address, too, in which Cognito takes none of these words:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
    condition     = !can(regex("aws|amazon|cognito", var.name))
    error_message = "name may not have aws, amazon or cognito in it."
  }
}

variable "tags" {
  description = "Tags on everything here, as a cost centre."
  type        = map(string)
  default     = {}

  validation {
    # As IAM takes them, and `Application` beside: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
    condition = length(var.tags) <= 49 && alltrue([for key, value in var.tags :
      can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:")
    ])
    error_message = "tags may be at most 49, of letters, digits, spaces and _.:/=+-@: keys of 1 to 128 characters that do not begin with aws:, values of at most 256."
  }
}

variable "image" {
  description = "The image to run, by digest: <registry>/<repository>@sha256:<64 hexadecimal digits>. `make deploy` pushes it and gives it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9/_.-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must name an image in ECR by its digest, not by a tag: <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<64 hexadecimal digits>."
  }

  validation {
    # https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
    condition     = strcontains(var.image, ".dkr.ecr.${var.region}.amazonaws.com")
    error_message = "image must be in the store's region: Lambda takes images from no other."
  }
}

variable "teams" {
  description = "The teams. Each gets its groups in the user pool (data-scientist@<team>, approver@<team>, deployer@<team>) and the scopes for its machines."
  type        = set(string)

  validation {
    condition     = length(var.teams) > 0 && alltrue([for team in var.teams : can(regex("^[a-z0-9]([a-z0-9-]{0,37}[a-z0-9])?$", team))])
    error_message = "teams must name at least one team; a team's name has 1 to 39 lower-case letters, digits and hyphens, none at the ends."
  }

  validation {
    condition     = !contains(var.teams, "canary")
    error_message = "teams may not name canary, the team of the deployment's own smoke test (cognito.tf)."
  }

  validation {
    # A user pool holds 10,000 groups, a resource server 100 scopes: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
    condition     = length(var.teams) <= 33
    error_message = "teams may be at most 33: a resource server in Cognito holds 100 scopes, and each team takes three."
  }
}

variable "machines" {
  description = "Machine identities by name, each with the roles it acts in: { ci = [\"data-scientist@fraud\"] }. Each becomes a client with a secret of its own (client credentials)."
  type        = map(set(string))
  default     = {}

  validation {
    # A part of the name of its client: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
    condition     = alltrue([for name in keys(var.machines) : can(regex("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", name))])
    error_message = "machines must have names of 1 to 63 letters, digits, dots, underscores and hyphens; they begin and end with a letter or a digit."
  }

  validation {
    # 50 audiences for an authorizer, two of which are people's and the smoke test's; 50 scopes for a client:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    condition     = length(var.machines) <= 48 && alltrue([for roles in values(var.machines) : length(roles) <= 50])
    error_message = "machines may be at most 48, with at most 50 roles each: API Gateway takes tokens of 50 clients, and Cognito gives a client 50 scopes."
  }

  validation {
    condition = alltrue(flatten([for roles in values(var.machines) : [
      for role in roles : can(regex("^(approver|data-scientist|deployer)@[a-z0-9-]+$", role))
    ]]))
    error_message = "machines must have roles of teams, as data-scientist@fraud; the roles over all teams are for people."
  }

  validation {
    condition     = alltrue([for role in flatten([for roles in values(var.machines) : tolist(roles)]) : contains(var.teams, split("@", "${role}@")[1])]) && alltrue([for roles in values(var.machines) : length(roles) > 0])
    error_message = "machines must each have a role, and only roles of teams that are in teams."
  }
}

variable "identity_providers" {
  description = <<-EOT
    Where people sign in instead of the user pool itself, by name as shown on the sign-in page. Exactly one of `saml_metadata_url` and
    `oidc` each. `groups_attribute` is the claim or assertion with the person's groups there; `groups` says which of our roles each means:
    { "ml-fraud" = ["data-scientist@fraud"] }. What it does not name gives no role.
  EOT
  type = map(object({
    saml_metadata_url = optional(string)
    oidc = optional(object({
      issuer              = string
      client_id           = string
      client_secret_param = string
    }))
    groups_attribute = string
    groups           = map(set(string))
  }))
  default = {}

  validation {
    condition     = alltrue([for each in values(var.identity_providers) : (each.saml_metadata_url == null) != (each.oidc == null)])
    error_message = "Each of identity_providers must have exactly one of saml_metadata_url and oidc."
  }

  validation {
    condition = alltrue([
      for role in flatten([for each in values(var.identity_providers) : [for roles in values(each.groups) : tolist(roles)]]) :
      contains(["auditor", "compliance", "custodian"], role) || (can(regex("^(approver|data-scientist|deployer)@", role)) && contains(var.teams, split("@", "${role}@")[1]))
    ])
    error_message = "identity_providers must map groups to auditor, compliance, custodian, or to approver, data-scientist or deployer of a team that is in teams, as approver@fraud."
  }

  validation {
    # Names that Cognito writes into a list in no other way than they are: nothing has to be decoded, so no two names become one.
    condition     = alltrue([for group in flatten([for each in values(var.identity_providers) : keys(each.groups)]) : can(regex("^[A-Za-z0-9._-]+$", group))])
    error_message = "identity_providers may name groups of letters, digits, dots, underscores and hyphens; have the provider send ids of groups with other names."
  }

  validation {
    # https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html
    condition     = alltrue([for name in keys(var.identity_providers) : can(regex("^[A-Za-z][A-Za-z0-9.-]{2,31}$", name)) && name != "COGNITO"])
    error_message = "identity_providers must have names of 3 to 32 letters, digits, dots and hyphens that begin with a letter."
  }

  validation {
    condition     = alltrue([for each in values(var.identity_providers) : startswith(coalesce(each.saml_metadata_url, try(each.oidc.issuer, null), "https://"), "https://")])
    error_message = "identity_providers must be reached by https://."
  }
}

variable "iam_people" {
  description = <<-EOT
    ARNs of IAM roles whose sessions may assume the personas themselves, without the user pool (people of IAM Identity Center, say), by
    persona: { data-scientist = ["arn:aws:iam::111122223333:role/ml"] }. Their own session must carry the tag `person` and, for a persona of
    a team, the tag `team`, given by the identity provider and by nobody else: source identity, session name and team must equal them.
  EOT
  type        = map(set(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.iam_people), ["approver", "auditor", "compliance", "custodian", "data-scientist", "deployer"])) == 0
    error_message = "iam_people must be by persona: approver, auditor, compliance, custodian, data-scientist or deployer."
  }

  validation {
    condition     = alltrue([for arn in flatten([for arns in values(var.iam_people) : tolist(arns)]) : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", arn))])
    error_message = "iam_people must hold ARNs of IAM roles, without wildcards: arn:aws:iam::<account>:role/<name>."
  }
}

variable "barred_identities" {
  description = <<-EOT
    Whose sessions are refused, those at hand too: by source identity (a person's `sub`, a machine's client id), each with a word on who it
    is and since when. `python -m deployment bar` writes it into `barred.auto.tfvars.json`, and AWS at once.
  EOT
  type        = map(string)
  default     = {}

  validation {
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    condition     = alltrue([for identity in keys(var.barred_identities) : can(regex("^[A-Za-z0-9_+=,.@-]{2,64}$", identity))])
    error_message = "barred_identities must be source identities: 2 to 64 letters, digits and _+=,.@-."
  }

  validation {
    condition     = !contains(keys(var.barred_identities), "smas-verifier")
    error_message = "barred_identities must not hold smas-verifier: without the verifier nothing new can be read."
  }

  validation {
    # An inline policy has 10,240 characters, with the persona's own: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    condition     = length(var.barred_identities) <= 100
    error_message = "barred_identities may be at most 100: take out those whose sessions are long over (python -m deployment barred)."
  }
}

variable "domain" {
  description = "The store's own address and its certificate in ACM, in the same region; null for API Gateway's address."
  type = object({
    name            = string
    certificate_arn = string
  })
  default = null

  validation {
    condition     = var.domain == null ? true : length(var.domain.name) <= 253 && can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.domain.name))
    error_message = "domain.name must be a name of DNS alone, in lower case, as models.example.com."
  }

  validation {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html
    condition     = var.domain == null ? true : can(regex("^arn:aws[a-z-]*:acm:${var.region}:[0-9]{12}:certificate/[A-Za-z0-9-]+$", var.domain.certificate_arn))
    error_message = "domain.certificate_arn must be of a certificate of ACM in the store's region: arn:aws:acm:<region>:<account>:certificate/<id>."
  }
}

variable "alarm_emails" {
  description = "Who is told of alarms. Each address gets a mail to confirm."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", address))])
    error_message = "alarm_emails must hold mail addresses."
  }
}

variable "capacity" {
  description = <<-EOT
    `concurrency`: the API's reserved concurrency, requests at once, its ceiling. `warm`: at least so many environments are kept ready
    (provisioned concurrency), up to `warm_most` as they are used; 0 for none. `verifications`: files verified at once. `requests_per_second` and
    `burst`: where API Gateway begins to answer 429.
  EOT
  type = object({
    concurrency         = optional(number, 50)
    warm                = optional(number, 0)
    warm_most           = optional(number, 0)
    verifications       = optional(number, 10)
    requests_per_second = optional(number, 200)
    burst               = optional(number, 400)
  })
  default = {}

  validation {
    # Lambda lets an event source mapping run 2 to 1,000: https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html
    condition     = var.capacity.concurrency >= 1 && var.capacity.verifications >= 2 && var.capacity.verifications <= 1000 && var.capacity.warm >= 0 && var.capacity.warm_most >= 0
    error_message = "capacity needs concurrency of at least 1, verifications of 2 to 1000, and warm and warm_most of at least 0."
  }

  validation {
    # At 0 API Gateway answers 429 to everybody: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
    condition     = var.capacity.requests_per_second >= 1 && var.capacity.burst >= 1
    error_message = "capacity needs requests_per_second and burst of at least 1: at 0 API Gateway lets nothing through."
  }

  validation {
    condition     = alltrue([for number in values(var.capacity) : floor(number) == number])
    error_message = "capacity must be in whole numbers."
  }

  validation {
    condition     = var.capacity.warm == 0 || (var.capacity.warm <= var.capacity.warm_most && var.capacity.warm_most <= var.capacity.concurrency)
    error_message = "capacity must have warm <= warm_most <= concurrency."
  }
}

variable "url_seconds" {
  description = "How long a presigned URL lives, in seconds."
  type        = number
  default     = 900

  validation {
    condition     = var.url_seconds >= 60 && var.url_seconds <= 1800 && floor(var.url_seconds) == var.url_seconds
    error_message = "url_seconds must be a whole number from 60 to 1800."
  }
}

variable "storage_tier" {
  description = "\"standard\", or \"intelligent-tiering\": blobs move to S3 Intelligent-Tiering after 30 days, which keeps them at hand and costs less where they are rarely read."
  type        = string
  default     = "standard"

  validation {
    condition     = contains(["standard", "intelligent-tiering"], var.storage_tier)
    error_message = "storage_tier must be standard or intelligent-tiering."
  }
}

variable "replica_region" {
  description = "A second region that the models' bucket is replicated to, for disaster recovery; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.replica_region == null || var.replica_region != var.region
    error_message = "replica_region must differ from region."
  }

  validation {
    condition     = var.replica_region == null || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.replica_region))
    error_message = "replica_region must be the name of an AWS region, as eu-west-1."
  }
}

variable "audit_lock" {
  description = "For how long nobody can delete what CloudTrail delivered (Object Lock). In compliance mode not even the account's root can, and nobody can shorten it."
  type = object({
    mode = optional(string, "GOVERNANCE")
    days = optional(number, 365)
  })
  default = {}

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.audit_lock.mode) && var.audit_lock.days >= 1 && var.audit_lock.days <= 36500 && floor(var.audit_lock.days) == var.audit_lock.days
    error_message = "audit_lock needs the mode GOVERNANCE or COMPLIANCE, and a whole number of days from 1 to 36500."
  }
}

variable "log_days" {
  description = "How long CloudWatch Logs keeps lines, in days; at least a year."
  type        = number
  default     = 400

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    condition     = contains([365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days must be one that CloudWatch Logs knows: 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "alarm_thresholds" {
  description = "`egress_gib_per_hour`: bytes of models read in an hour that are unusual here. `denied_calls_per_hour`: refused calls that are."
  type = object({
    egress_gib_per_hour   = optional(number, 500)
    denied_calls_per_hour = optional(number, 20)
  })
  default = {}

  validation {
    # From 0 on an alarm never ends.
    condition     = var.alarm_thresholds.egress_gib_per_hour > 0 && var.alarm_thresholds.denied_calls_per_hour > 0
    error_message = "alarm_thresholds must be greater than 0."
  }
}
