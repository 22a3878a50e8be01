"""A sensor's look, as the daemon makes it."""

from __future__ import annotations

import dagster as dg

from repo_tune_pipeline.defs.workspace import Workspace


def looked(sensor, instance):
    """What one evaluation of a sensor gives."""
    resources = {"workspace": Workspace()}
    with dg.build_sensor_context(instance=instance, resources=resources) as context:
        return sensor(context)
