"""A year of an invented group over the bundled role-plays: newcomers see agreement, drift and a recalibration."""
