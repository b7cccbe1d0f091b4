"""The whole stack as a user has it: supervisord, real processes, a real browser."""
