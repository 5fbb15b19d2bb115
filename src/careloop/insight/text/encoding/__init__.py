"""The bundled encoder's forward pass in NumPy: its weight file, its pieces of words, its layers."""
