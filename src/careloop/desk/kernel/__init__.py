"""What every app stands on: actors, encrypted columns, time slots, errors. It knows no other app."""
