"""What the documentation promises, held to what is there."""
