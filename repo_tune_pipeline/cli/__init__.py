"""`repo-tune`: a thin command line over the chain; it imports neither Dagster nor torch."""
