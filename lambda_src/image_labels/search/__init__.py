"""Search photos by label. The command and its page use it; the function's zip does not contain it."""
