"""Images to run networks on."""
