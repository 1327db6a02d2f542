"""The main job on a laptop: a client with coolers, pictures through the HTTP door, results, Parquet."""
