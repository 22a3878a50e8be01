"""How the starter model is made: corpus, tokenizer, tokens, training, export.

``python -m repo_tune_pipeline.models.starter.recipe --out FOLDER --minutes N`` does all of it on
the machine's own installed, permissively licensed Python source.
"""
