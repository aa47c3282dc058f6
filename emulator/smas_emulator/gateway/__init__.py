"""What every call to the local AWS passes: who makes it, how it is signed, and how it ends."""
