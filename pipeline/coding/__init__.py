"""From turns to coded utterances: codebook, segmentation, volleys, tagger, inference, training."""
