"""What the images are made of."""
