"""What lies on disk: the cache of artifacts, and files that are replaced as a whole."""
