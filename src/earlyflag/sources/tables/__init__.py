"""The contract's tables, one file a source system."""
