"""The commands of the exchange, a module for each group; `root` hands them to the composition root."""
