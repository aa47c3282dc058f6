"""IAM's decision logic alone: policies in, a decision out; it knows nothing of services and their calls."""
