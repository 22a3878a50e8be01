"""What the assets are partitioned by."""

import dagster as dg

from repo_tune_pipeline.defs.workspace import config_file
from repo_tune_pipeline.settings import load_settings

REPOS = "repos"
DEVICE = "device"
"""The pool of what trains or loads a model: one run of those at a time."""
repos = dg.DynamicPartitionsDefinition(name=REPOS)
"""One key an ingested repository, `owner/name`."""

variants = dg.StaticPartitionsDefinition(sorted(load_settings(config_file()).variants))
"""One key an adapter that the configuration names."""
