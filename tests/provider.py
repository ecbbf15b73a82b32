"""An ESP's HTTP API on loopback that takes everything, keeps a record, and can be told to misbehave.

`with Api("postmark") as api:`. It speaks like each of the providers that ESP may name; `api.settings` point there.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

ADDRESS = re.compile(r"[\w.+-]+@(?:school\.example|load\.test)")
KEYS = {
    "amazon_ses": {},
    "brevo": {"BREVO_API_KEY": "key"},
    "mailersend": {"MAILERSEND_API_TOKEN": "key"},
    "mailgun": {"MAILGUN_API_KEY": "key"},
    "mailjet": {"MAILJET_API_KEY": "key", "MAILJET_SECRET_KEY": "secret"},
    "mailtrap": {"MAILTRAP_API_TOKEN": "key"},
    "mandrill": {"MANDRILL_API_KEY": "key"},
    "postal": {"POSTAL_API_KEY": "key"},
    "postmark": {"POSTMARK_SERVER_TOKEN": "key"},
    "resend": {"RESEND_API_KEY": "key"},
    "sendgrid": {"SENDGRID_API_KEY": "key"},
    "sparkpost": {"SPARKPOST_API_KEY": "key"},
    "unisender_go": {"UNISENDER_GO_API_KEY": "key"},
}


@dataclass
class Rule:
    """Answer some requests in another way than by taking the message.

    Args:
        status, body, headers: of the answer; 0 for none at all.
        to: only for recipients whose address holds this.
        times: how many requests it is for.
        after: how many matching requests are let through first.
        takes: whether the message was taken all the same.
        delay: seconds before the answer.
    """

    status: int = 0
    body: object = ""
    headers: tuple = ()
    to: str = ""
    times: int = 10**9
    after: int = 0
    takes: bool = False
    delay: float = 0.0


@dataclass
class Taken:
    recipient: str
    path: str
    headers: dict
    body: str

    @property
    def json(self):
        return json.loads(self.body)


class Api:
    def __init__(self, name, *rules):
        self.name, self.rules = name, list(rules)
        self.taken, self.asked, self.connections, self.delay = [], [], 0, 0.0
        self.lock = threading.Lock()

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
        self.server.daemon_threads, self.server.api = True, self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/"

    @property
    def settings(self):
        """What ANYMAIL must say."""
        if self.name == "amazon_ses":
            keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
            config = {"read_timeout": 2, "retries": {"total_max_attempts": 1}}
            return {"AMAZON_SES_CLIENT_PARAMS": {**keys, "endpoint_url": self.url, "config": config}}
        return {**KEYS[self.name], f"{self.name.upper()}_API_URL": self.url, "REQUESTS_TIMEOUT": (2, 2)}

    def rule(self, recipient):
        for rule in self.rules:
            if rule.to in recipient and rule.times > 0:
                if rule.after > 0:
                    rule.after -= 1
                    continue
                rule.times -= 1
                return rule
        return None

    @property
    def recipients(self):
        return sorted(taken.recipient for taken in self.taken)


class Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        with self.server.api.lock:
            self.server.api.connections += 1

    def do_POST(self):
        api = self.server.api
        length = int(self.headers["Content-Length"] or 0)
        body = self.rfile.read(length).decode()
        if len(body.encode()) < length:  # whoever asked was killed in the middle of it
            self.close_connection = True
            return
        found = ADDRESS.search(unquote_plus(body))
        taken = Taken(found[0] if found else "", self.path, dict(self.headers), body)
        with api.lock:
            api.asked.append(taken.recipient)
            rule = api.rule(taken.recipient)
            if rule is None or rule.takes:
                api.taken.append(taken)
        if rule is None:
            time.sleep(api.delay)
            self.answer(*getattr(self, f"as_{api.name}")(taken))
            return
        time.sleep(rule.delay)
        if rule.status:
            self.answer(rule.status, rule.body, *rule.headers)
        else:
            self.close_connection = True

    def answer(self, status, body, *headers):
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        kind = "text/html" if isinstance(body, str) else "application/json"
        for name, value in {"Content-Type": kind, "Content-Length": str(len(text)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words):
        pass

    def as_amazon_ses(self, _taken):
        return 200, {"MessageId": f"0100-{uuid.uuid4()}"}

    def as_brevo(self, _taken):
        return 201, {"messageId": f"<{uuid.uuid4()}@smtp-relay.brevo.example>"}

    def as_mailersend(self, _taken):
        return 202, "", ("X-Message-Id", uuid.uuid4().hex)

    def as_mailgun(self, _taken):
        return 200, {"id": f"<{uuid.uuid4()}@mailgun.example>", "message": "Queued. Thank you."}

    def as_mailjet(self, taken):
        return 200, {
            "Messages": [{"Status": "success", "To": [{"Email": taken.recipient, "MessageID": uuid.uuid4().int}]}]
        }

    def as_mailtrap(self, _taken):
        return 200, {"success": True, "message_ids": [str(uuid.uuid4())]}

    def as_mandrill(self, taken):
        return 200, [{"email": taken.recipient, "status": "queued", "_id": uuid.uuid4().hex}]

    def as_postal(self, taken):
        messages = {taken.recipient: {"id": uuid.uuid4().int % 10**9, "token": "t"}}
        return 200, {"status": "success", "data": {"messages": messages}}

    def as_postmark(self, taken):
        return 200, {"To": taken.recipient, "MessageID": str(uuid.uuid4()), "ErrorCode": 0, "Message": "OK"}

    def as_resend(self, _taken):
        return 200, {"id": str(uuid.uuid4())}

    def as_sendgrid(self, _taken):
        return 202, ""

    def as_sparkpost(self, _taken):
        results = {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": str(uuid.uuid4().int)}
        return 200, {"results": results}

    def as_unisender_go(self, taken):
        return 200, {"status": "success", "job_id": uuid.uuid4().hex, "emails": [taken.recipient]}
