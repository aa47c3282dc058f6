"""From a call to IAM's decision: which permissions it needs, and AWS's own answer when one is missing."""
