"""From turns to coded utterances: codebook, units, tagger, training, evaluation."""
