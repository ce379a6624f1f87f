"""The work on tapes: queue, workers, and the process that runs the engines."""
