output "state_config" {
  description = "The store's backend, the content of infra/state.config: terraform output -raw state_config > ../state.config"
  value       = local.backends["store"]
}

output "own_state_config" {
  description = "The backend of this configuration itself, the content of infra/bootstrap/state.config."
  value       = local.backends["bootstrap"]
}

output "repository_url" {
  description = "Where the image is pushed to."
  value       = aws_ecr_repository.store.repository_url
}
