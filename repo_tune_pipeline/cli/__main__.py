"""`python -m repo_tune_pipeline.cli`: the `repo-tune` program."""

from repo_tune_pipeline.cli.main import main

main()
