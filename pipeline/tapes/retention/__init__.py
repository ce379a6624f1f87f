"""The end of a tape: when, how, and with which proof."""
