"""A believable borough, written in the data contract's form, with its truth beside it."""
