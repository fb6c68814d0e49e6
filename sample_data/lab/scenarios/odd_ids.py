"""Message-IDs that are missing, broken, or made to look like a log line."""

import messages
from truth import fate
from world import HONEST

README = """
Emma's web form sends no Message-ID at all, three times. Others send ids with spaces, without brackets, with brackets inside, folded over two lines, 300 characters long, and
with text that imitates what Postfix logs about somebody else's mail ("to=<victim@example.com> ... status=bounced"). All are delivered to INBOX, the last two to Bob on mx.
Alex's own mail program sends none either. Where there is no id, the subject tells the mails apart; expected.json says null.
"""
IMITATION = "<x@y>: to=<anna@example.com>, relay=none, delay=1, delays=1/0/0/0, dsn=5.1.1, status=bounced (user unknown)"
FALSE_SAVE = "<a b: c>: saved mail to INBOX@x>, size=400, from=Alice"
ODD = {
    "spaces": ("<this is no id@example.edu>", "anna@example.com"),
    "no-brackets": ("4711.abc@example.edu", "alex@example.com"),
    "inner": ("<a<b>c@example.edu>", "anna@example.com"),
    "long": ("<" + "0123456789" * 30 + "@example.edu>", "amy@example.com"),
    "empty": ("<>", "amy@example.com"),
    "comment": ("(hidden) <a.b]c{d}(e);f@example.edu>", "alex@example.com"),
    "quoted": ('<"message-id=<victim@example.com>"@example.edu>', "anna@example.com"),
    "imitation": (IMITATION, "bob@example.org"),
    "false-save": (FALSE_SAVE, "bob@example.org"),
}


def run(lab):
    def deliver(label, sender, recipient, subject, field, source=HONEST, helo="out.example.edu"):
        text = messages.build(sender, [recipient], subject, None, stamp=lab.now(), extra=field)
        mail = lab.receive(label, source, helo, sender, [recipient], subject, message=text)
        assert mail.reply.startswith("250"), (label, mail.reply)
        lab.wait_subject(recipient, subject)
        mail.recipients = [fate(recipient, "delivered")]
        return mail

    for number, recipient in enumerate(("anna@example.com", "alex@example.com", "anna@example.com"), 1):
        deliver(
            f"none-{number}", "emma@example.edu", recipient, f"Contact form {number}", ""
        ).message_id = None
    for label, (value, recipient) in ODD.items():
        deliver(
            label, "emma@example.edu", recipient, f"Odd id: {label}", f"Message-ID: {value}\n"
        ).message_id = value
    deliver(
        "folded",
        "carla@example.edu",
        "amy@example.com",
        "Odd id: folded",
        "Message-ID:\n <folded.4711@example.edu>\n",
    ).message_id = "<folded.4711@example.edu>"
    own = lab.submit(
        "own-none",
        "alex@example.com",
        ["bob@example.org"],
        "No id from Alex",
        message=messages.build("alex@example.com", ["bob@example.org"], "No id from Alex", None),
    )
    lab.wait_subject("bob@example.org", "No id from Alex")
    own.message_id, own.recipients = None, [fate("bob@example.org", "delivered")]
    subject = "message-id=<victim@example.com>"
    imitated = lab.submit("subject", "amy@example.com", ["bob@example.org"], subject)
    lab.settle(imitated, "bob@example.org")
    lab.wait_empty()
