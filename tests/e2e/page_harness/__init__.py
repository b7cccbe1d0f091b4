"""A scripted edge to test the call page against: the page's own contract, spoken by a little aiohttp and aiortc."""
