"""Writes header lines with the encoder under test and reads them back, in whatever Python runs this file.

`python header_reader.py ENCODER.py`: each line on stdin is a text in JSON, each line on stdout what became of it.
Standard library only.
"""

import email
import email.policy
import importlib.util
import json
import re
import sys
from email.header import decode_header, make_header
from email.utils import parseaddr

ADDRESS = "news@resource-center.example"


def load_encoder(path):
    spec = importlib.util.spec_from_file_location("encoder", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["encoder"] = module
    spec.loader.exec_module(module)
    return module


def readings(encoder, text):
    """The lines that were written, and what this Python's readers, the new and the old one, make of them."""
    name = encoder.one_line(text)  # as every name is before it is written
    subject, sender = encoder.text_header("Subject", text), encoder.address_header("From", name, ADDRESS)
    message = b"\r\n".join([subject, sender, b"", b""])
    new = email.message_from_bytes(message, policy=email.policy.default)
    old = {name: "".join(value.splitlines()) for name, value in email.message_from_bytes(message).items()}
    old_name, old_address = parseaddr(old["From"])
    return {
        "lines": (subject + b"\r\n" + sender).decode().split("\r\n"),
        "subject": [str(new["Subject"]), str(make_header(decode_header(old["Subject"])))],
        "name": [_display_name(new, sender), str(make_header(decode_header(old_name)))],
        "addresses": [new["From"].addresses[0].addr_spec, old_address],
    }


def _display_name(message, line):
    """A name as the new reader sees it.

    Its reader of addresses puts a space between two encoded words (python/cpython issue 128110). Where two stand
    side by side, its reader of free text, which knows the rule, is asked instead.
    """
    if not re.search(rb"\?=\s+=\?", line):
        return message["From"].addresses[0].display_name
    phrase = line.partition(b": ")[2].rpartition(b"<")[0].rstrip()
    return str(email.message_from_bytes(b"Subject: " + phrase + b"\r\n\r\n", policy=email.policy.default)["Subject"])


if __name__ == "__main__":
    under_test = load_encoder(sys.argv[1])
    for request in sys.stdin:
        print(json.dumps(readings(under_test, json.loads(request))), flush=True)
