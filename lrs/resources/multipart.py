"""multipart/mixed, as xAPI 1.0.3 Communication 1.5.2 has it: the JSON first, then each attachment's data."""

from __future__ import annotations

from flask import Response


def mixed(text: bytes, boundary: str) -> Response:
    """Return JSON text as the first part of a multipart/mixed response; `boundary` must not occur in it.

    The text is the only part while statements are taken without the data of their attachments.
    """
    first, last = f"--{boundary}\r\nContent-Type: application/json\r\n\r\n", f"\r\n--{boundary}--\r\n"
    return Response(first.encode() + text + last.encode(), content_type=f"multipart/mixed; boundary={boundary}")
