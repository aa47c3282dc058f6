# For a store that takes over the copy of another region (docs/operations.md, "The copy in a second region"): after the variables of
# the store that was, and with --region. It has no copy of its own until it is given one.
replica_region = null
