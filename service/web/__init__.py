"""HTTP: routes parse, call a use case and render; everything else happens here once for all of them."""
