"""Measurements of the store: ``python -m benchmarks --help``.

Never part of the tests: a busy machine must not make a change look wrong. Targets are ratios of things
measured in the same run wherever the machine would otherwise decide.
"""
