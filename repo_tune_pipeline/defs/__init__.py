"""Dagster's side of the chain: assets, checks, partitions and jobs, a module a stage."""
