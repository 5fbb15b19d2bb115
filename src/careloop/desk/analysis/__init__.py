"""The bridge to the reading engine: what was understood of each text from customers, with model versions."""
