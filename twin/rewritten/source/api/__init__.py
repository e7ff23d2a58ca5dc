"""The Insurance Navigator's API on aiohttp."""
