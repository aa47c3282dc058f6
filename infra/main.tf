# The store on AWS: what all other files here share. `README.md` says how they hang together.

provider "aws" {
  region              = var.region
  allowed_account_ids = var.account == null ? null : [var.account]

  default_tags {
    tags = local.tags
  }
}

# The second region, for disaster recovery. Unused, and without a resource, where no replica is asked for.
provider "aws" {
  alias               = "replica"
  region              = coalesce(var.replica_region, var.region)
  allowed_account_ids = var.account == null ? null : [var.account]

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  tags      = merge({ Application = var.name }, var.tags)

  # S3's names are shared by everybody in the world, so the account is in them.
  bucket            = "${var.name}-models-${local.account}-${var.region}"
  access_log_bucket = "${var.name}-access-logs-${local.account}-${var.region}"
  trail_bucket      = "${var.name}-trail-${local.account}-${var.region}"
  athena_bucket     = "${var.name}-athena-${local.account}-${var.region}"

  # ARNs that policies need before the thing exists, or that would go round in a circle as references.
  role_prefix       = "arn:${local.partition}:iam::${local.account}:role/${var.name}-"
  trail_arn         = "arn:${local.partition}:cloudtrail:${var.region}:${local.account}:trail/${var.name}"
  service_log_group = "/${var.name}/service"
  worker_log_group  = "/${var.name}/worker"
  log_group_prefix  = "arn:${local.partition}:logs:${var.region}:${local.account}:log-group:"

  personas        = ["approver", "auditor", "compliance", "custodian", "data-scientist", "deployer"]
  team_personas   = ["approver", "data-scientist", "deployer"]
  global_personas = ["auditor", "compliance", "custodian"]

  # Whose sessions are refused, as JSON. A source identity has two characters or more, so nobody is "-": it keeps the statement a
  # valid one while nobody is barred.
  barred_identities = jsonencode(concat(["-"], sort(keys(var.barred_identities))))

  # What the policy templates in `policies/` name; the local stack renders the same files with values of its own.
  placeholders = {
    partition             = local.partition
    account               = local.account
    region                = var.region
    bucket                = local.bucket
    bytes_key_arn         = aws_kms_key.bytes.arn
    metadata_key_arn      = aws_kms_key.metadata.arn
    logs_key_arn          = module.cloudtrail.key_arn
    events_queue_arn      = "arn:${local.partition}:sqs:${var.region}:${local.account}:${var.name}-events"
    service_role_arn      = "${local.role_prefix}service"
    worker_role_arn       = "${local.role_prefix}worker"
    role_prefix           = local.role_prefix
    trail_bucket          = local.trail_bucket
    trail_prefix          = ""
    trail_arn             = local.trail_arn
    service_log_group_arn = "${local.log_group_prefix}${local.service_log_group}"
    trail_log_group_arn   = "${local.log_group_prefix}/${var.name}/trail"
    barred_identities     = local.barred_identities
  }

  # For policies of things that those above are made of: the keys themselves.
  key_placeholders = {
    partition   = local.partition
    account     = local.account
    region      = var.region
    role_prefix = local.role_prefix
  }
}

module "cloudtrail" {
  source = "./cloudtrail"

  name            = var.name
  bucket          = local.trail_bucket
  data_event_arns = local.data_event_arns
  log_days        = var.log_days
  lock_mode       = var.audit_lock.mode
  lock_days       = var.audit_lock.days
  access_log      = { bucket = aws_s3_bucket.access_log.id, prefix = "trail/" }
}
