"""Two runs that lie on disk, compared in their facts and, where that can be, in their times."""
