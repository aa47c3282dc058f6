"""Whether the trail's files are what CloudTrail delivered: its digests, their chain, and the log files."""
