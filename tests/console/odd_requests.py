"""Requests as nobody means them: random bytes, broken encodings, lies about lengths."""

import json
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import strategies as st

from tests.console.raw_request import RawRequest

METHODS = st.sampled_from(
    ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "X-Y"]
)
TOO_MUCH = 64 * 1024 + 1
_TYPES = (
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"application/x-www-form-urlencoded; charset=utf-7",
    b"multipart/form-data; boundary=x",
    b"multipart/form-data; boundary=x; charset=unicode_escape",
    b"multipart/form-data; boundary=x; charset=no-such-charset",
    b"multipart/form-data; boundary=",
    b"multipart/form-data",
    b"text/plain",
    b"",
    b"\xff\xfe/;;=",
)
_NASTY = (
    b"",
    b"\0",
    b"\xff",
    b"\xc3(",
    b"\xed\xa0\x80",
    b"%00",
    b"%",
    b"%ff%fe",
    b"..",
    b"../../etc/passwd",
    b"%2e%2e%2f",
    b"//",
    b"\\ud800",
    b"a" * 5000,
    "ñ🙂".encode(),
    b"\r\nX: y",
)

nasty_bytes = st.one_of(st.sampled_from(_NASTY), st.binary(max_size=60))
nasty_text = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["", "\0", "\ud800", "\u202e", "a" * 5000, "STOP", "BAJA", "٣", "1" * 400]),
)
_json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), nasty_text, st.just(10**400)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(nasty_text, inner, max_size=3)
    ),
    max_leaves=6,
)


def json_bodies(*names: str) -> st.SearchStrategy[bytes]:
    """Give JSON that names these fields, or none, or is no JSON."""
    some = st.dictionaries(st.sampled_from(names) | nasty_text, _json_values, max_size=5)
    written = (some | _json_values).map(
        lambda value: json.dumps(value).encode("utf-8", "surrogatepass")
    )
    odd = st.sampled_from(
        [b"[" * 20_000, b'{"a":' * 5_000, b"NaN", b'{"key": "\\ud800"}', b"\xef\xbb\xbf{}", b""]
    )
    return written | odd | nasty_bytes


def form_bodies(*names: str) -> st.SearchStrategy[bytes]:
    """Give forms in which these fields may stand, more than once, in any encoding."""
    field = st.sampled_from([name.encode() for name in names]) | nasty_bytes
    return st.lists(st.tuples(field, nasty_bytes), max_size=6).map(
        lambda pairs: b"&".join(
            quote_from_bytes(name).encode() + b"=" + value for name, value in pairs
        )
    )


def multipart_bodies(*names: str) -> st.SearchStrategy[bytes]:
    """Give forms in parts, whole and broken, with files where words are meant."""
    head = st.sampled_from(
        [
            b'Content-Disposition: form-data; name="%s"',
            b'Content-Disposition: form-data; name="%s"; filename="x"',
            b"Content-Disposition: form-data; name*=utf-8''%s",
            b"Content-Disposition: %s",
            b"X: %s",
        ]
    )
    name = st.sampled_from([name.encode() for name in names]) | nasty_bytes
    part = st.builds(
        lambda head, name, value: b"--x\r\n" + head.replace(b"%s", name) + b"\r\n\r\n" + value,
        head,
        name,
        nasty_bytes,
    )
    end = st.sampled_from([b"\r\n--x--\r\n", b"", b"--", b"\r\n--x"])
    return st.builds(lambda parts, end: b"\r\n".join(parts) + end, st.lists(part, max_size=4), end)


def urlencoded(form: dict[str, str]) -> bytes:
    """Return a form as a browser sends it."""
    return urlencode(form, errors="surrogatepass").encode()


@st.composite
def paths(draw: st.DrawFn, known: list[str]) -> bytes:
    """Give one of these paths, as it is or with something odd in it, and maybe a query."""
    path = draw(st.sampled_from(known)).encode()
    odd = quote_from_bytes(draw(nasty_bytes), safe="/%.").encode()
    path = draw(st.sampled_from([path, path + odd, path + b"/" + odd, b"/" + odd + path]))
    query = draw(st.sampled_from([b"", b"?lang=ru", b"?message=a.1", b"?lang=%ff&lang="]))
    return path + query


@st.composite
def requests(
    draw: st.DrawFn,
    *,
    known: list[str],
    bodies: st.SearchStrategy[bytes],
    methods: st.SearchStrategy[str] = METHODS,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> RawRequest:
    """Give a request to one of these paths."""
    body = draw(bodies | nasty_bytes)
    cut = draw(st.integers(0, len(body)))
    lengths = [str(len(body)).encode(), b"0", b"-1", b"1e9", b"9" * 30, str(TOO_MUCH).encode()]
    odd_headers = st.sampled_from(
        [
            (b"content-type", draw(st.sampled_from(_TYPES))),
            (b"content-length", draw(st.sampled_from(lengths))),
            (b"accept-language", draw(nasty_bytes)),
            (b"accept-language", b"ru;q=9,en;q=x," * 500),
            (b"authorization", b"Bearer " + draw(nasty_bytes)),
            (b"x-twilio-signature", draw(nasty_bytes)),
            (b"cookie", draw(nasty_bytes)),
            (b"host", draw(nasty_bytes)),
            (b"x-forwarded-proto", b"https"),
            (b"range", b"bytes=9-1"),
            (b"if-none-match", draw(nasty_bytes)),
            (b"x-long", b"a" * 60_000),
        ]
    )
    return RawRequest(
        method=draw(methods),
        target=draw(paths(known)),
        headers=(*draw(st.lists(odd_headers, max_size=4)), *headers),
        chunks=(body[:cut], body[cut:]),
        leaves=draw(st.integers(0, 9)) == 0,
    )
