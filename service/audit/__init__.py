"""Who touched what: AWS's own trail and the service's refusals, read in the reader's own name."""
