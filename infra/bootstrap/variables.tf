variable "region" {
  description = "The AWS region that the store is in, as eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, as eu-central-1."
  }
}

variable "name" {
  description = "The beginning of the name of everything here: the store's own (`name` in infra/variables.tf)."
  type        = string
  default     = "smas"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must have 3 to 18 characters: lower-case letters, digits, single hyphens inside; it starts with a letter."
  }

  validation {
    # Found out here and not when the sign-in page is made: infra/variables.tf says why.
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
