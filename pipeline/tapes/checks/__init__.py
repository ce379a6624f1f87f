"""The checks of `tape-review doctor`."""
