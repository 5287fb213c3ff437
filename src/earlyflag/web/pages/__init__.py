"""The pages: each turns one typed view into HTML."""

from earlyflag.web.pages import flags, households, lookups, signing, worktrays

ROUTERS = (signing.router, worktrays.router, households.router, flags.router, lookups.router)
"""Every router of pages."""
