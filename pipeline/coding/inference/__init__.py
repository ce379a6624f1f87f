"""The tagger at work: features, network, classifier, and the weights on disk."""
