"""How the tagger's weights are made and measured."""
