"""xAPI over HTTP, a blueprint each: parse the request into values, one call, build the response.

Law of the room: headers and status codes live here and nowhere else; no SQL, no rule about statements.
"""
