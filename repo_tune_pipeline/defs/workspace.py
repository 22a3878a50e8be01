"""Where a run finds its settings and its files."""

import os
from pathlib import Path

import dagster as dg

from repo_tune_pipeline import jobs
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.settings import Settings, configs_dir, home_dir, load_settings

CONFIG_VARIABLE = "REPO_TUNE_CONFIG"


def config_file() -> Path | None:
    """The configuration that REPO_TUNE_CONFIG names; None means the default one."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else None


class Workspace(dg.ConfigurableResource[object]):
    """The home directory and the settings of a run, from the environment.

    Both are read when they are asked for, so that an edited configuration counts from the next
    run on without a restart of the code server. While a run uses it, the run is seen to live.
    """

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        if context.run:
            jobs.hold_job(self.home, context.run.run_id)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if context.run:
            jobs.let_job_go(context.run.run_id)

    @property
    def home(self) -> Home:
        return Home(home_dir())

    @property
    def settings(self) -> Settings:
        return load_settings(config_file())

    @property
    def configs(self) -> Path:
        """The folder of `axolotl.yaml`, `profiles/` and `domains/`: the configuration's own."""
        return configs_dir(config_file())
