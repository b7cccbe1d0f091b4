"""The edge: browsers and players on one side, the bus on the other. Never imports `workers`."""
