"""Signatures, as botocore makes them and as somebody tampers with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.gateway.calls import HttpRequest
from smas_emulator.gateway.errors import AwsError
from smas_emulator.gateway.signatures import Authenticated, authenticate

from tests.emulator.gateway.signing import KEY_ID, LONG_LIVED, NOW, TEMPORARY, Keys, signed

WEEK = 7 * 24 * 3600


def check(
    request: HttpRequest, keys: Keys | None = None, after: float = 0, body: bytes = b""
) -> Authenticated | None:
    """The verdict on a request `after` seconds."""
    return authenticate(request, lambda: body, keys or Keys(), NOW + timedelta(seconds=after))


def refused(request: HttpRequest, keys: Keys | None = None, after: float = 0) -> tuple[str, int]:
    """Code and status of the refusal of a request."""
    with pytest.raises(AwsError) as caught:
        check(request, keys, after)
    return caught.value.code, caught.value.status


def with_query(request: HttpRequest, **changes: str) -> HttpRequest:
    """The request with query parameters changed, or added; `_` stands for a dash."""
    new = {name.replace("_", "-"): value for name, value in changes.items()}
    return replace(request, query_string=urlencode({**dict(request.query), **new}, quote_via=quote))


def without_query(request: HttpRequest, name: str) -> HttpRequest:
    """The request without one query parameter."""
    kept = [pair for pair in request.query if pair[0] != name]
    return replace(request, query_string=urlencode(kept, quote_via=quote))


def with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    """The request with a header changed or added."""
    return replace(request, headers={**request.headers, name: value})


keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@given(key=keys, value=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20))
def test_whatever_botocore_signs_is_accepted(key: str, value: str) -> None:
    """Any key and any query value, in the header and presigned; the verdict names access key and time."""
    url = (
        f"http://localhost:4566/bucket/{quote(key, safe='/~')}?response-content-type={quote(value, safe='')}"
    )

    for presigned in (None, 60):
        found = check(signed("GET", url, presigned=presigned))

        assert found is not None
        assert (found.signature.access_key_id, found.signature.signed_at) == (KEY_ID, NOW)
        assert found.signature.kind == ("AuthHeader" if presigned is None else "QueryString")
        assert found.signature.expires_seconds == presigned
        assert found.credential is LONG_LIVED


@pytest.mark.parametrize(
    "sent",
    [
        "/bucket/k%C3%BCche/%20a%2Bb@c",
        "/bucket/k\u00fcche/%20a+b@c",
        "/bucket/%6b%C3%BCche%2f%20a%2bb%40c",
    ],
)
def test_however_a_path_is_sent_it_is_signed_in_one_way(sent: str) -> None:
    """Clients differ in what they encode; the signature is over the one canonical form."""
    request = signed("GET", "http://localhost:4566/bucket/k%C3%BCche/%20a%2Bb%40c?a=%2F&b=~%20")

    assert check(replace(request, path=sent, query_string="b=%7E+&a=/")) is not None


@pytest.mark.parametrize("path", ["/", "/2015-03-31/functions/arn%3Aaws%3Alambda/x", "/a/b c"])
def test_other_services_encode_the_path_twice_and_sign_the_body(path: str) -> None:
    """A call to another service is accepted with its body, and with no other."""
    request = signed("POST", f"http://localhost:4566{quote(path, safe='/%')}", service="lambda", body=b"a=1")

    assert check(request, body=b"a=1") is not None
    with pytest.raises(AwsError, match="SignatureDoesNotMatch"):
        check(request, body=b"a=2")


def test_a_request_without_signature_is_nobodys() -> None:
    """No credentials is not the same as wrong ones."""
    assert check(HttpRequest("GET", "/", "", {"host": "localhost"}, "127.0.0.1")) is None


@given(st.data())
def test_no_part_of_a_request_can_be_changed(data: st.DataObject) -> None:
    """Method, path, host, query and signed headers: any change is refused."""
    presigned = data.draw(st.sampled_from([None, 900]))
    request = signed(
        "PUT",
        "http://localhost:4566/bucket/key?partNumber=1&uploadId=x",
        presigned=presigned,
        headers={"x-amz-meta-a": "1", "If-None-Match": "*"},
    )
    assert check(request) is not None
    changed = data.draw(
        st.sampled_from(
            [
                replace(request, method="GET"),
                replace(request, path="/bucket/key2"),
                with_header(request, "host", "localhost:4567"),
                with_header(request, "x-amz-meta-a", "2"),
                with_header(request, "if-none-match", "other")
                if presigned is None
                else without_query(request, "uploadId"),
                with_query(request, partNumber="2"),
                with_query(request, versionId="1"),
            ]
        )
    )

    assert refused(changed) == ("SignatureDoesNotMatch", 403)


@pytest.mark.parametrize("presigned", [None, 60])
def test_every_amz_header_sent_to_s3_must_be_signed(presigned: int | None) -> None:
    """A header that changes what S3 does can't be added to a signed request."""
    request = signed("PUT", presigned=presigned)

    assert refused(with_header(request, "x-amz-tagging", "smas-state=verified")) == ("AccessDenied", 403)


def test_the_host_must_be_signed() -> None:
    """A signature that leaves the host out would serve for any."""
    request = with_query(signed(presigned=60), X_Amz_SignedHeaders="range")

    assert refused(request) == ("AccessDenied", 403)


@pytest.mark.parametrize(("after", "accepted"), [(0, True), (60, True), (61, False)])
def test_a_presigned_url_lives_as_long_as_it_says(after: int, accepted: bool) -> None:
    """To the second; then `Request has expired`."""
    request = signed(presigned=60)

    if accepted:
        assert check(request, after=after) is not None
    else:
        assert refused(request, after=after) == ("AccessDenied", 403)


@pytest.mark.parametrize(
    ("expires", "accepted"), [("604800", True), ("604801", False), ("-1", False), ("x", False)]
)
def test_a_presigned_url_lives_a_week_at_most(expires: str, accepted: bool) -> None:
    """The longest life is a week, as a number of seconds."""
    request = signed(presigned=WEEK)
    if accepted:
        assert check(request) is not None
    else:
        changed = with_query(request, X_Amz_Expires=expires)
        assert refused(changed) == ("AuthorizationQueryParametersError", 400)


@pytest.mark.parametrize(("after", "accepted"), [(900, True), (901, False), (-900, True), (-901, False)])
def test_clocks_may_differ_by_a_quarter_of_an_hour(after: int, accepted: bool) -> None:
    """A header's signature is refused when it was made too long ago, or too far in the future."""
    request = signed()

    if accepted:
        assert check(request, after=after) is not None
    else:
        assert refused(request, after=after) == ("RequestTimeTooSkewed", 403)


def test_a_presigned_url_is_not_valid_before_its_time() -> None:
    """Beyond what clocks may differ by."""
    assert refused(signed(presigned=60, at=NOW + timedelta(minutes=16))) == ("AccessDenied", 403)


@pytest.mark.parametrize(
    ("service", "wanted"), [("s3", "InvalidAccessKeyId"), ("sts", "InvalidClientTokenId")]
)
def test_an_unknown_key_is_refused(service: str, wanted: str) -> None:
    """With the code S3 has for it, or the other services."""
    stranger = replace(LONG_LIVED, access_key_id="LKIAQAAAAAAASTRANGER")

    assert refused(signed(service=service, credential=stranger)) == (wanted, 403)


@pytest.mark.parametrize("presigned", [None, 60])
def test_a_session_key_needs_its_token_and_ends(presigned: int | None) -> None:
    """The token must be the session's own, and the session must not be over, however long the URL lives."""
    keys = Keys(TEMPORARY)
    lifetime = None if presigned is None else 7200
    assert check(signed(presigned=lifetime, credential=TEMPORARY), keys) is not None

    no_token = replace(TEMPORARY, session_token=None)
    other_token = replace(TEMPORARY, session_token="another")
    assert refused(signed(presigned=lifetime, credential=no_token), keys) == ("InvalidToken", 400)
    assert refused(signed(presigned=lifetime, credential=other_token), keys) == ("InvalidToken", 400)
    late = signed(presigned=lifetime, credential=TEMPORARY, at=NOW + timedelta(seconds=3600))
    assert refused(late, keys, after=3600) == ("ExpiredToken", 400)
    in_time = signed(presigned=lifetime, credential=TEMPORARY, at=NOW + timedelta(seconds=3599))
    assert check(in_time, keys, after=3599) is not None


def test_a_long_lived_key_takes_no_token() -> None:
    """A token beside a key that has none is refused."""
    with_token = replace(LONG_LIVED, session_token="token")

    assert refused(signed(credential=with_token)) == ("InvalidToken", 400)


@pytest.mark.parametrize(
    "header",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/20260301/us-east-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/20260302/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
    ],
)
def test_a_malformed_header_is_said_to_be_malformed(header: str) -> None:
    """Missing parts, a scope that is none, a date that is not that of the request."""
    assert refused(with_header(signed(), "authorization", header)) == ("AuthorizationHeaderMalformed", 400)


@pytest.mark.parametrize(
    "missing", ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"]
)
def test_half_a_presigned_url_is_malformed_and_not_unsigned(missing: str) -> None:
    """A URL that lost a parameter is not taken for a request without credentials."""
    request = without_query(signed(presigned=60), missing)

    assert refused(request) == ("AuthorizationQueryParametersError", 400)


@pytest.mark.parametrize("header", ["AWS key:signature", "Bearer token", "Basic dXNlcjpwYXNz"])
def test_other_ways_to_sign_are_not_supported(header: str) -> None:
    """Signature Version 2 and what is no signature at all."""
    request = HttpRequest("GET", "/", "", {"host": "localhost", "authorization": header}, "127.0.0.1")

    assert refused(request) == ("InvalidRequest", 400)


def test_a_presigned_url_of_version_2_is_not_supported() -> None:
    """Nor is it taken for unsigned."""
    query = f"AWSAccessKeyId={KEY_ID}&Signature=x&Expires=1"

    assert refused(HttpRequest("GET", "/b/k", query, {"host": "localhost"}, "127.0.0.1")) == (
        "InvalidRequest",
        400,
    )
