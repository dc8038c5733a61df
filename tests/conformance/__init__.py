"""What a record store must do, asked over HTTP of any endpoint: by default of our own server, on both databases.

Law of the room: a test here knows an address, a credential and the specification; it imports nothing of `lrs`, and
leaves alone what others stored there. Every test names the requirement that it holds: XAPI_00001 and so on as the
official suite counts them, else the section: D_2_3_1 of 1.0.3's Data, C_3_1 of its Communication, S_4_1_6_1 of 2.0,
RFC_9110 of HTTP.

CAIRN_CONFORMANCE_ENDPOINT with _KEY and _SECRET asks another server (such as https://lrs.example.org/xapi);
_WRITER_KEY and _WRITER_SECRET name a credential there that may store statements and do nothing else.
"""
