"""Dagster's entry point."""

from repo_tune_pipeline.defs.code_location import defs

__all__ = ["defs"]
