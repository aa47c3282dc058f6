"""CloudTrail: trails, what they record and where it goes."""
