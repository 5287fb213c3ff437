"""What every room may use: errors, settings, the home folder, the terms, the clock, logging."""
