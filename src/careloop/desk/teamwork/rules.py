"""Which files a customer may send: plain Python."""

LARGEST_FILE_BYTES = 5_000_000
FILES_AT_ONCE = 5
FILES_IN_A_CASE = 50
LONGEST_FILE_NAME = 120
BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}


def file_type(data: bytes) -> str:
    """What the bytes are, whatever the file's name says: a picture, a PDF, plain text; "" for anything else."""
    for beginning, kind in BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in (b"ftypheic", b"ftypmif1", b"ftypheix"):
        return "image/heic"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "text/plain" if text.strip() and "\0" not in text else ""


def file_name(given: str) -> str:
    """The last part of a file's name without control characters, its end kept when it is too long."""
    name = "".join(letter for letter in given.replace("\\", "/").rsplit("/", 1)[-1] if letter.isprintable()).strip()
    return name[-LONGEST_FILE_NAME:] or "file"
