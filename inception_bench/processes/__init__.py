"""Programs that answer messages: the wire, their loop, the coordinator's side, and whose package they run."""
