"""From records to people to households over time."""
