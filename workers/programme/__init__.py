"""The programme: the clock of each session, one tick every 20 ms."""
