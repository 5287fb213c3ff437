"""The JSON API and the pages, over casework alone."""
