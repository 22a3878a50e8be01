"""The HTTP service: ask the model, start jobs and watch them. Dagster is asked over GraphQL."""
