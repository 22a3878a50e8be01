"""From repositories to a language model that knows them, with proof."""
