"""The body of a request: Content-Length, Transfer-Encoding, chunks, trailers, Expect, and how large it may be."""
from conformance import CLOSES, POST, STAYS, Row, chunks, coding, content, field, get, length, told

LENGTHS = [
    Row("Content-Length twice", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400, "9112 6.3", CLOSES),
    Row("two Content-Lengths", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400, "9112 6.3", CLOSES),
    Row("two Content-Lengths, zero first", POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde", 400, "9112 6.3",
        CLOSES),
    *[Row(f"Content-Length {value!r}", length(value), 400, "9112 6.3", CLOSES) for value in (
        b"5, 5", b"5,5", b"5 5", b"+5", b"-5", b"-0", b"0x5", b"5x", b"5.0", b"5e0", b"", b" ", b"abc", b"5;", b'"5"', b"\xb2",
        b"18446744073709551616", b"18446744073709551621", b"99999999999999999999999999", b"5\t\x0b", b"5\t5", b"5\t,")],
    Row("Content-Length over 63 bits", length(b"9223372036854775808"), 413, "9110 15.5.14", CLOSES),
    Row("Content-Length of 64 bits", length(b"18446744073709551615"), 413, "9110 15.5.14", CLOSES),
    # What is sound
    *[Row(f"Content-Length {value!r} is sound", length(value), 200, "9110 8.6", STAYS, content(b"abcde")) for value in (
        b"5", b"05", b"0" * 30 + b"5", b" 5 ", b"\t5 ", b"5\t", b"5 \t \t")],
    Row("Content-Length 0", POST + b"Content-Length: 0\r\n\r\n", 200, "9110 8.6", STAYS, content(b"")),
    Row("Content-Length 000", POST + b"Content-Length: 000\r\n\r\n", 200, "9110 8.6", STAYS, content(b"")),
    Row("POST without a length", POST + b"\r\n", 200, "9112 6.3", STAYS, content(b"")),
    Row("GET with a body", field(b"Content-Length: 5") + b"abcde", 200, "9110 9.3.1", STAYS, content(b"abcde")),
    Row("GET with chunks", field(b"Transfer-Encoding: chunked") + b"5\r\nabcde\r\n0\r\n\r\n", 200, "9110 9.3.1", STAYS,
        content(b"abcde")),
    Row("HEAD with a body", b"HEAD /told HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", 200, "9110 9.3.2", STAYS,
        heads={0}),
    Row("DELETE with a body", b"DELETE /told HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", 200, "9110 9.3.5", STAYS,
        content(b"abcde")),
    Row("a body of HTTP/1.0", b"POST /told HTTP/1.0\r\nContent-Length: 5\r\n\r\nabcde", 200, "9110 8.6", CLOSES,
        content(b"abcde")),
    Row("a body of all bytes", POST + b"Content-Length: 256\r\n\r\n" + bytes(range(256)), 200, "9110 6.4", STAYS,
        content(bytes(range(256)))),
    Row("a body like a request", POST + b"Content-Length: %d\r\n\r\n" % len(get(b"/gone")) + get(b"/gone"), 200, "9112 6.3",
        STAYS, content(get(b"/gone"))),
    *[Row(f"a body that {path} does not look at", b"POST " + path.encode() +
          b" HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(get(b"/gone")) + get(b"/gone"), status, "9112 9.3", STAYS)
      for path, status in (
              ("/missing", 404), ("/get", 405), ("/empty", 204), ("/%00", 400), ("/moved", 308), ("/gone", 410))],
    Row("Content-Length in a field of another name", field(b"X-Content-Length: 5\r\nContent-Lengths: 5\r\nContent_Length: 5"),
        200, "9110 5.1", STAYS),
]

CODINGS = [
    Row("Content-Length, then Transfer-Encoding",
     POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    Row("Transfer-Encoding, then Content-Length",
     POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    Row("Content-Length 0 and Transfer-Encoding",
     POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    Row("Transfer-Encoding, then Content-Length 0",
     POST + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    Row("Transfer-Encoding twice",
     POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.3", CLOSES),
    Row("two Transfer-Encodings",
     POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, "9112 6.3", CLOSES),
    *[Row(f"Transfer-Encoding {value!r}", coding(value), 400, "9112 6.3", CLOSES) for value in (
        b"chunked, chunked", b"chunked,chunked", b"chunked, gzip", b"chunked, identity", b"identity", b"gzip", b"xchunked",
        b"chunkedx", b"x chunked", b"chunked x", b"chunked;q=1", b'"chunked"', b"chunked\0", b"\x0bchunked", b"chunked\x0c",
        b"")],
    Row("Transfer-Encoding gzip, chunked", coding(b"gzip, chunked"), 501, "9112 6.1", CLOSES),
    Row("Transfer-Encoding gzip,chunked", coding(b"gzip,chunked"), 501, "9112 6.1", CLOSES),
    Row("Transfer-Encoding with an empty element behind it", coding(b"chunked,"), {400, 501}, "9112 6.1", CLOSES),
    Row("Transfer-Encoding with an empty element before it", coding(b", chunked"), {400, 501}, "9112 6.1", CLOSES),
    Row("Transfer-Encoding in HTTP/1.0",
     b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    Row("Transfer-Encoding in a kept HTTP/1.0",
     b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 6.1", CLOSES),
    # What is sound
    *[Row(f"Transfer-Encoding {value!r} is sound", coding(value), 200, "9112 7", STAYS, content(b"abcde")) for value in (
        b"chunked", b"Chunked", b"CHUNKED", b" \tchunked ", b"chunked\t")],
    Row("transfer-encoding in lower case", POST + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200, "9110 5.1", STAYS,
        content(b"")),
    Row("TE is not Transfer-Encoding", field(b"TE: trailers, chunked\r\nConnection: TE"), 200, "9110 10.1.4", STAYS),
    # What has made two servers see different requests
    Row("CL.TE", POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 400, "9112 11.2", CLOSES),
    Row("TE.CL", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n12\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n", 400,
        "9112 11.2", CLOSES),
    Row("CL.CL", POST + b"Content-Length: 8\r\nContent-Length: 7\r\n\r\n12345\r\na", 400, "9112 11.2", CLOSES),
    Row("CL.0 in two spellings", POST + b"content-length: 5\r\nCONTENT-LENGTH: 0\r\n\r\nabcde", 400, "9112 11.2", CLOSES),
    *[Row(f"TE.TE {lines!r}", POST + lines + b"\r\n\r\n12\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n", 400, "9112 11.2", CLOSES)
      for lines in (
        b"Transfer-Encoding: chunked\r\nTransfer-encoding: cow", b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b" Transfer-Encoding: chunked",
        b"X: X\nTransfer-Encoding: chunked", b"X: X\rTransfer-Encoding: chunked", b"Transfer-Encoding\r\n: chunked",
        b"Transfer-Encoding: chunked\r\n Transfer-Encoding: x", b"Transfer-Encoding:\x00chunked", b"Transfer-Encoding: 'chunked'",
        b"Transfer-Encoding: \xa0chunked", b"Transfer-Encoding: chunKed\xe2\x84\xaa", b"Transfer-Encoding: chunked, x",
        b"Transfer-Encoding:\xffchunked", b"Transfer Encoding: chunked", b"Transfer-Encoding\0: chunked",
        b"\0Transfer-Encoding: chunked")],
    Row("Transfer-Encoding beside a blank Content-Length", POST +
        b"Content-Length:  \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "9112 11.2", CLOSES),
    Row("Transfer_Encoding is another field", field(b"Transfer_Encoding: chunked\r\nTransfer-Encodings: x"), 200, "9110 5.1",
        STAYS),
    Row("Content-Length as a chunk's line", chunks(b"5\r\nabcde\r\nContent-Length: 5\r\n\r\n"), 400, "9112 7.1", CLOSES),
]

CHUNKS = [
    *[Row(f"chunk size {size!r}", chunks(size + b"\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES) for size in (
        b"0x5", b" 5", b"\t5", b"5 ", b"5\t", b"+5", b"-5", b"", b" ", b"g", b"5g", b"5,", b"5:", b"5\0", b"\xb2", b"5 5",
        b"10000000000000005", b"fffffffffffffffff", b"5\r", b"5;a\0", b"5;a=\x01")],
    Row("chunk longer than its size", chunks(b"4\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    Row("chunk shorter than its size", chunks(b"6\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    Row("chunk without an end", chunks(b"5\r\nabcde0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    Row("LF after a chunk size", chunks(b"5\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    Row("LF after a chunk extension", chunks(b"5;a=b\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    Row("LF after a chunk extension's name", chunks(b"5;a\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    Row("LF after a quoted chunk extension", chunks(b'5;a="b"\nabcde\r\n0\r\n\r\n'), 400, "9112 7.1.1", CLOSES),
    Row("LF after a semicolon", chunks(b"5;\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    Row("LF after a name and a semicolon", chunks(b"5;a;\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    Row("LF after a value and a semicolon", chunks(b"5;a=b;\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    Row("LF after a quoted value and a semicolon", chunks(b'5;a="b";\nabcde\r\n0\r\n\r\n'), 400, "9112 7.1.1", CLOSES),
    Row("LF in a quoted chunk extension", chunks(b'5;a="\n"\r\nabcde\r\n0\r\n\r\n'), 400, "9112 7.1.1", CLOSES),
    Row("LF in a chunk extension", chunks(b"5;a\nb\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    Row("CR in a chunk extension", chunks(b"5;a\rb\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES),
    Row("LF after chunk data", chunks(b"5\r\nabcde\n0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    Row("CR after chunk data", chunks(b"5\r\nabcde\r0\r\n\r\n"), 400, "9112 7.1", CLOSES),
    Row("LF after the last chunk", chunks(b"5\r\nabcde\r\n0\n\r\n"), 400, "9112 7.1", CLOSES),
    Row("LF as end of the trailers", chunks(b"5\r\nabcde\r\n0\r\n\n"), 400, "9112 7.1", CLOSES),
    Row("LF after a trailer", chunks(b"5\r\nabcde\r\n0\r\nX: a\n\r\n"), 400, "9112 7.1.2", CLOSES),
    Row("LF between trailers", chunks(b"5\r\nabcde\r\n0\r\nX: a\nY: b\r\n\r\n"), 400, "9112 7.1.2", CLOSES),
    Row("LF after an empty trailer", chunks(b"5\r\nabcde\r\n0\r\nX:\nY: b\r\n\r\n"), 400, "9112 7.1.2", CLOSES),
    Row("LF as end of the head of trailers", chunks(b"5\r\nabcde\r\n0\r\nX: a\r\n\n"), 400, "9112 7.1.2", CLOSES),
    Row("space before the colon of a trailer", chunks(b"0\r\nX : a\r\n\r\n"), 400, "9112 5.1", CLOSES),
    Row("folded trailer", chunks(b"0\r\nX: a\r\n b\r\n\r\n"), 400, "9112 5.2", CLOSES),
    Row("folded empty trailer", chunks(b"0\r\nX:\r\n b\r\n\r\n"), 400, "9112 5.2", CLOSES),
    Row("trailer without a colon", chunks(b"0\r\nGET / HTTP/1.1\r\n\r\n"), 400, "9112 7.1.2", CLOSES),
    Row("NUL in a trailer", chunks(b"0\r\nX: \0\r\n\r\n"), 400, "9110 5.5", CLOSES),
    Row("Transfer-Encoding as a trailer", chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, "9110 6.5.1", CLOSES),
    # What is sound
    *[Row(f"{name}", chunks(text), 200, "9112 7.1", STAYS, content(b"abcde")) for name, text in (
        ("one chunk", b"5\r\nabcde\r\n0\r\n\r\n"),
        ("two chunks", b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"),
        ("a chunk for each byte", b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n"),
        ("leading zeros", b"0005\r\nabcde\r\n00000\r\n\r\n"),
        ("sixteen digits", b"0000000000000005\r\nabcde\r\n0000000000000000\r\n\r\n"),
    )],
    *[Row(f"chunk size {size.decode()}", chunks(size + b"\r\n" + b"x" * int(size, 16) + b"\r\n0\r\n\r\n"), 200, "9112 7.1", STAYS,
          content(b"x" * int(size, 16))) for size in (b"a", b"A", b"f", b"F", b"10", b"fF", b"00aB")],
    Row("no chunk but the last", chunks(b"0\r\n\r\n"), 200, "9112 7.1", STAYS, content(b"")),
    Row("chunks of line ends", chunks(b"4\r\n\r\n\r\n\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), 200, "9112 7.1", STAYS,
        content(b"\r\n\r\n\r\n0\r\n\r\n")),
    # Extensions: taken and forgotten
    *[Row(f"chunk extension {text!r}", chunks(b"5" + text + b"\r\nabcde\r\n0" + text + b"\r\n\r\n"), 200, "9112 7.1.1", STAYS,
          content(b"abcde")) for text in (
              b";name", b";name=value", b";a;b", b";a=b;c", b";a;b=c", b";a=b;c=d", b";a=b;c=d;e=f", b';a="b"', b';a="b";c="d"',
              b';a="";b', b';a="b;c=d"', b';a="\\""', b';a="\\\\";b=c', b';a="\tb \xe9"', b';a=!#$%&\'*+-.^_`|~09',
              b";" + b"n" * 100, b" ;a", b"\t; \ta", b";a ;b", b"; a = b", b"; a\t=\t\"b\" ; c")],
    *[Row(f"bad chunk extension {text!r}", chunks(b"5" + text + b"\r\nabcde\r\n0\r\n\r\n"), 400, "9112 7.1.1", CLOSES)
      for text in (
        b";", b";=", b";=a", b";a=", b";a;", b";a=b;", b";;a", b';"a"', b";a=b c", b";a=b=c", b';a="', b';a="b', b';a="b"c',
        b';a="b\\"', b';a="b""c"', b" ", b";a ", b";a=b ", b';a="b"\t', b";a b", b" a", b";a=\xe9", b";\xe9", b";a,b", b";a=(b)",
        b';a="\x7f"', b';a="\\\x01"', b"=a", b'"a"')],
    # Trailers: fields of their own, that never become fields of the head
    *[Row(f"trailers {text!r}", chunks(b"5\r\nabcde\r\n0\r\n" + text + b"\r\n\r\n"), 200, "9112 7.1.2", STAYS, content(b"abcde"),
          told(b"POST /told HTTP/1.1\ntransfer-encoding: chunked")) for text in (
              b"X: a", b"X:a", b"X:", b"X: \t ", b"X: a\r\nX: b\r\nY: c", b"X: \xc3\xa9", b"X: a\tb", b"!#$%&'*+-.^_`|~09: a")],
    *[Row(f"{name}: {value.decode()} as a trailer changes nothing", chunks(b"5\r\nabcde\r\n0\r\n" + name.encode() + b": " +
          value + b"\r\n\r\n"), 200, "9110 6.5.1", STAYS, content(b"abcde"),
          told(b"POST /told HTTP/1.1\ntransfer-encoding: chunked"))
      for name, value in (
              ("Host", b"b"), ("Connection", b"close"), ("Content-Type", b"x/y"), ("Expect", b"other"), ("Trailer", b"X"),
              ("Content-Length", b"5"), ("Content-Length", b"x"))],
    *[Row(f"bad trailer {text!r}", chunks(b"5\r\nabcde\r\n0\r\n" + text + b"\r\n\r\n"), 400, "9110 5.1, 5.5", CLOSES)
      for text in (
        b": a", b"X", b"X Y: a", b"X\t: a", b" X: a", b"\tX: a", b"X\0: a", b"X\xe9: a", b"X\x7f: a", b"(X): a", b"X: a\x01",
        b"X: \x7f", b"X: a\rb", b"X: a\r\n\tb", b"X: a\r\r")],
]

EXPECTATIONS = [
    Row("Expect other", POST + b"Expect: other\r\nContent-Length: 5\r\n\r\nabcde", 417, "9110 10.1.1", CLOSES),
    Row("Expect 100-continue, other", POST + b"Expect: 100-continue, other\r\nContent-Length: 5\r\n\r\nabcde", 417, "9110 10.1.1",
     CLOSES),
    # Nothing is to be said when the body is already there
    Row("Expect: 100-continue", POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde", 200, "9110 10.1.1", STAYS,
        content(b"abcde")),
    Row("Expect in upper case", POST + b"EXPECT: 100-CONTINUE\r\nContent-Length: 5\r\n\r\nabcde", 200, "9110 10.1.1", STAYS,
        content(b"abcde")),
    Row("Expect with chunks", POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 200,
        "9110 10.1.1", STAYS, content(b"abcde")),
    Row("Expect without a body", field(b"Expect: 100-continue"), 200, "9110 10.1.1", STAYS),
    Row("Expect with a body of nothing", POST + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", 200, "9110 10.1.1", STAYS),
    Row("Expect in HTTP/1.0", b"POST /told HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde", 200,
        "9110 10.1.1", CLOSES, content(b"abcde")),
    Row("Expect with a body too large", POST + b"Expect: 100-continue\r\nContent-Length: 4097\r\n\r\n", 413, "9110 10.1.1",
        CLOSES),
]

BODY_LIMITS = [
    Row("Content-Length over the limit", POST + b"Content-Length: 4097\r\n\r\n" + b"a" * 4097, 413, "9110 15.5.14", CLOSES),
    Row("one chunk over the limit", chunks(b"1001\r\n" + b"a" * 4097 + b"\r\n0\r\n\r\n"), 413, "9110 15.5.14", CLOSES),
    Row("many chunks over the limit", chunks(b"100\r\n" + b"a" * 256 + b"\r\n" + (b"f00\r\n" + b"a" * 3840 + b"\r\n") * 2), 413,
     "9110 15.5.14", CLOSES),
    Row("a chunk size over the limit", chunks(b"ffffffffffffffff\r\n" + b"a" * 4097), 413, "9110 15.5.14", CLOSES),
    Row("chunk extension too large", chunks(b"5;" + b"a" * 30000 + b"\r\nabcde\r\n0\r\n\r\n"), {413, 431}, "9112 7.1.1", CLOSES),
    Row("chunk extensions too large", chunks((b"1;" + b"a" * 500 + b"\r\na\r\n") * 100), {413, 431}, "9112 7.1.1", CLOSES),
    Row("trailer too large", chunks(b"0\r\nX: " + b"a" * 30000 + b"\r\n\r\n"), {413, 431}, "9112 7.1.2", CLOSES),
    Row("too many trailers", chunks(b"0\r\n" + b"X: a\r\n" * 5000 + b"\r\n"), {413, 431}, "9112 7.1.2", CLOSES),
    Row("body as large as it may be", POST + b"Content-Length: 4096\r\n\r\n" + b"a" * 4096, 200, "9110 15.5.14", STAYS,
        content(b"a" * 4096)),
    Row("chunks as large as they may be", chunks(b"fff\r\n" + b"a" * 4095 + b"\r\n1\r\na\r\n0\r\n\r\n"), 200, "9110 15.5.14",
        STAYS, content(b"a" * 4096)),
    Row("a chunk size of sixteen digits", chunks(b"7fffffffffffffff\r\n" + b"a" * 4097), 413, "9110 15.5.14", CLOSES),
]

ROWS = LENGTHS + CODINGS + CHUNKS + EXPECTATIONS + BODY_LIMITS
