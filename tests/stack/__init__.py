"""The local stack as it really runs: processes of its own, on free ports, in temporary directories."""
