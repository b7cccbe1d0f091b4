"""Sound to speech: where the person starts, pauses, goes on and has finished."""
