"""The use cases: what people do with models. They own the key layout and the compare-and-set loops."""
