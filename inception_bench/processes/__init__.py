"""Processes that reply to messages: the messages, the loop that replies, how to call them, and what they run."""
