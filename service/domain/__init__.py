"""What the store is about, free of frameworks, clouds and clocks."""
