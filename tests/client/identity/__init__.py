"""Who one is to the store: signing in, keeping tokens, keeping them secret."""
