"""Who one is to the store: finding out where to sign in, signing in, and keeping tokens fresh."""
