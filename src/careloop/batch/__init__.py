"""The same readings over whole files: streaming, in constant memory, with worker processes."""
