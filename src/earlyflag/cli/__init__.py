"""The command line: builds settings, connections and the scorer, and passes them down."""
