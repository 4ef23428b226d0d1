"""Unwanted photos: rules that find them, and what is done with them. Not imported unless there are rules."""
