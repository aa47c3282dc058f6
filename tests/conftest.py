"""What all test packages share."""

pytest_plugins = ["tests.local_aws"]
