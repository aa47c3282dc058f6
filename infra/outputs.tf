# What the processes are configured by, and where people begin. `docs/settings.md` says what each setting means.

output "service_settings" {
  description = "The environment of the HTTP service: every setting it reads, and nothing else."
  value       = local.service_settings
}

output "worker_settings" {
  description = "The environment of the verifier."
  value       = local.worker_settings
}

output "url" {
  description = "The store's address: `smas login <url>`."
  value       = local.public_url
}

output "domain_target" {
  description = "What the DNS record of `domain` leads to: an alias of `name` in the hosted zone `zone_id`, or a CNAME to `name`. Empty without a domain."
  value = merge([for domain in aws_apigatewayv2_domain_name.store : {
    name    = domain.domain_name_configuration[0].target_domain_name
    zone_id = domain.domain_name_configuration[0].hosted_zone_id
  }]...)
}

output "sign_in_url" {
  description = "Where people sign in and choose a password."
  value       = local.sign_in_url
}

output "dashboard_url" {
  description = "The store's dashboard in CloudWatch."
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.store.dashboard_name}"
}

output "user_pool_id" {
  description = "The user pool: where people and their groups are kept."
  value       = aws_cognito_user_pool.people.id
}

output "canary_client_id" {
  description = "The client that a deployment's smoke test signs in with: it takes a password, from administrators alone."
  value       = aws_cognito_user_pool_client.canary.id
}

output "machine_client_ids" {
  description = "The client ids of the machines, by name. Their secrets: aws cognito-idp describe-user-pool-client."
  value       = { for name, client in aws_cognito_user_pool_client.machine : name => client.id }
}

output "audit_views" {
  description = "The named queries that make the audit's views, by view: run audit_records first (athena/README.md)."
  value       = { for name, query in aws_athena_named_query.view : name => query.id }
}

# Never null: Terraform keeps no output that is, and then what reads it cannot tell a store without a copy from no store at all.
output "copy" {
  description = "The bucket of the copy in the second region, and the region; empty without one."
  value       = { for name, value in { bucket = local.replica_bucket, region = local.replica_region } : name => value if local.replicas > 0 }
}

output "provider_groups" {
  description = "What the groups of identity providers mean here: roles by group by provider, for the review of who may what."
  value       = jsondecode(local.provider_groups)
}
