"""From a file's bytes to samples at 16 kHz: container, confined decoder, quality."""
