"""What CloudWatch Logs does that LocalStack leaves out: filter patterns, and metrics counted with them."""
