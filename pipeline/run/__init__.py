"""Running the job: engines, results, the output folder, and the cache of finished stages."""
