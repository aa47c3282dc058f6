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
}

variable "tags" {
  description = "Tags on everything here, as a cost centre."
  type        = map(string)
  default     = {}
}
