"""What an authorizer is tried with."""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from deployment.rehearsal.bad_tokens import changed

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_each_token_differs_from_the_good_one_in_what_it_is_named_for() -> None:
    """So a verifier that checks signatures by the key's name and the algorithm refuses every one."""
    good = jwt.encode({"sub": "me"}, KEY, "RS256", headers={"kid": "the-pool's"})
    tokens = changed(good)
    assert good not in tokens.values()
    assert len(set(tokens.values())) == len(tokens) == 4
    for token in tokens.values():
        with pytest.raises(jwt.InvalidTokenError):  # noqa: PT012 - the whole of what a verifier does
            if jwt.get_unverified_header(token)["kid"] != "the-pool's":
                raise jwt.InvalidTokenError
            jwt.decode(token, KEY.public_key(), algorithms=["RS256"])
    assert jwt.decode(good, KEY.public_key(), algorithms=["RS256"]) == {"sub": "me"}
