"""Images to run networks on, and labelled sets to train and test them with."""
