"""The order of the steps, the run folder and its manifest; publishes to the store."""
