variable "name" {
  description = "The trail's name, and the beginning of the names of all that belongs to it."
  type        = string

  validation {
    # A subset of what CloudTrail takes (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html)
    # that is good for a role, an alias and a log group, too.
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must have 3 to 40 characters: lower-case letters, digits, single hyphens inside; it starts with a letter."
  }
}

variable "bucket" {
  description = "The name of the bucket for the log files and digests. It is made here, and holds nothing else."
  type        = string

  validation {
    # No dots: they break TLS to <bucket>.s3.amazonaws.com (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be a name that S3 takes, without dots: 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "data_event_arns" {
  description = "Reads and writes of which objects are recorded: the beginning of their ARNs, as arn:aws:s3:::models/ for all of a bucket."
  type        = list(string)

  validation {
    # Without the slash, "models" would be "models-of-others" as well; with nothing after it, each object of every bucket.
    condition     = length(var.data_event_arns) > 0 && alltrue([for arn in var.data_event_arns : can(regex("^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([^*]*/)?$", arn))])
    error_message = "data_event_arns must name at least one bucket or folder, each with the slash at its end and without wildcards: arn:aws:s3:::models/."
  }
}

variable "log_days" {
  description = "How long CloudWatch Logs keeps the events, in days; at least a year."
  type        = number
  default     = 400

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    condition     = contains([365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days must be one that CloudWatch Logs knows: 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "lock_mode" {
  description = "How firmly Object Lock holds: in GOVERNANCE mode a principal with s3:BypassGovernanceRetention can delete, in COMPLIANCE mode nobody, and nobody can shorten it."
  type        = string
  default     = "GOVERNANCE"

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.lock_mode)
    error_message = "lock_mode must be GOVERNANCE or COMPLIANCE."
  }
}

variable "lock_days" {
  description = "For how many days after its delivery nobody can delete a file."
  type        = number
  default     = 365

  validation {
    condition     = var.lock_days >= 1 && var.lock_days <= 36500 && floor(var.lock_days) == var.lock_days
    error_message = "lock_days must be a whole number from 1 to 36500."
  }
}

variable "keep_days" {
  description = "After how many days the files are deleted; null for never. Later than the lock ends."
  type        = number
  default     = null

  validation {
    # S3 waits for the end of the lock in any case; a lower number would promise a deletion that does not happen.
    condition     = var.keep_days == null ? true : var.keep_days > var.lock_days && floor(var.keep_days) == var.keep_days
    error_message = "keep_days must be null or a whole number greater than lock_days."
  }
}

variable "access_log" {
  description = "Where S3 logs who read the trail: a bucket that lets logging.s3.amazonaws.com write, and a prefix with its slash; null for nowhere."
  type = object({
    bucket = string
    prefix = string
  })
  default = null

  validation {
    # Logs of reading logs would never end.
    condition     = var.access_log == null ? true : var.access_log.bucket != var.bucket
    error_message = "access_log.bucket must not be the trail's own."
  }

  validation {
    condition     = var.access_log == null ? true : can(regex("^([^/]+/)+$", var.access_log.prefix))
    error_message = "access_log.prefix must end in a slash, as trail/."
  }
}
