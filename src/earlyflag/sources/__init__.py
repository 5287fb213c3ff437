"""A declared schema per table, vendor mappings, reading, validation, rejects."""
