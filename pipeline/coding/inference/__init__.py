"""Runs the tagger: features, network, classifier, and the stored weights."""
