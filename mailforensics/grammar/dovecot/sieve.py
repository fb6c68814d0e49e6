"""What a Sieve script did with a message, and what went wrong with the script.

    sieve: msgid=<7c7ad0bf@example.org>: fileinto action: stored mail into mailbox 'Junk'
    sieve: msgid=<7c7ad0bf@example.org>: stored mail into mailbox 'INBOX'
    sieve: Execution of script 'junk/10-junk' failed with unsuccessful implicit keep

Since Pigeonhole 0.5 the name of the action stands in front (``fileinto action: ``), but not before what (implicit) keep did. So
without a name, INBOX means kept; another mailbox is taken as filed, for that is what ``fileinto`` of older releases
writes (keep into the mailbox of a ``user+detail`` address looks the same). Without a ``msgid`` the line comes from an IMAP
session (imapsieve).

To the mail server all of this is "250 Saved": filed, forwarded, rejected and discarded alike.

Source: Pigeonhole's ``sieve-actions.c``, ``cmd-redirect.c``, ``cmd-discard.c``, ``ext-reject.c``, ``cmd-vacation.c``,
``lda-sieve-plugin.c``, ``sieve-extprograms``; real logs of Pigeonhole 0.5.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

from mailforensics.grammar.dovecot.delivery import BEFORE, BEHIND, DELIVERY_SERVICES, KIND, MSGID, told
from mailforensics.grammar.shape import Shape

_SERVICES = (
    *DELIVERY_SERVICES,
    "imap",
    "sieve-filter",
    "doveadm",
    "managesieve",
    "imap-hibernate",
    "indexer-worker",
)
_HEAD = rf"sieve: (?:{BEFORE}{MSGID}{BEHIND}: )?"
_NAME = r"(?:[a-z_]+ action: )?"
_BOX = r"'(?P<mailbox>.*?)'(?: \((?P<virtual_name>[^()]*)\))?"


def _sieve(text: str, example: str, means: str, *, action: str = "", kind: str = KIND) -> Shape:
    return Shape(
        kind=kind,
        programs=_SERVICES,
        starts="sieve: ",
        pattern=rf"{_HEAD}{text}",
        example=f"sieve: msgid=<7c7ad0bf@example.org>: {example}",
        means=means,
        constants=told("sieve", action),
    )


_STORED = (
    _sieve(
        rf"fileinto action: stored mail into mailbox {_BOX}", "fileinto action: stored mail into mailbox 'Junk'",
        "A Sieve script filed the message into a mailbox.", action="sieve_filed",
    ),
    _sieve(
        r"(?:keep action: )?stored mail into mailbox '(?P<mailbox>(?i:INBOX))'(?: \((?P<virtual_name>[^()]*)\))?",
        "stored mail into mailbox 'INBOX'", "The message is in the inbox (Sieve's keep).", action="saved",
    ),
    _sieve(
        rf"keep action: stored mail into mailbox {_BOX}", "keep action: stored mail into mailbox 'lists'",
        "The message is in the mailbox of its address (Sieve's keep).", action="saved",
    ),
    _sieve(
        rf"{_NAME}stored mail into mailbox {_BOX}", "stored mail into mailbox 'Junk'",
        "A Sieve script filed the message into a mailbox.", action="sieve_filed",
    ),
    _sieve(
        rf"{_NAME}failed to (?:store into|open) mailbox {_BOX}: (?P<reason>Quota exceeded.*|.*[Mm]ailbox.* full.*)",
        "failed to store into mailbox 'INBOX': Quota exceeded (mailbox for user is full)",
        "The mailbox is full; the message was not stored.", action="quota_exceeded",
    ),
    _sieve(
        rf"{_NAME}failed to (?:store into|open) mailbox {_BOX}: (?P<reason>.*)",
        "failed to store into mailbox 'Archive': Mailbox does not exist",
        "The message was not stored there; Sieve then tries the inbox.", action="save_failed",
    ),
    _sieve(
        rf"{_NAME}store into mailbox {_BOX} (?P<reason>aborted|skipped)", "store into mailbox 'Archive' aborted",
        "The message was not stored there, because another action failed.", action="save_failed",
    ),
    _sieve(
        rf"{_NAME}left message in mailbox {_BOX}", "left message in mailbox 'INBOX'",
        "The message stays where it is.", kind="dovecot.sieve_left",
    ),
)  # fmt: skip

_SENT = (
    _sieve(
        rf"{_NAME}forwarded to <(?P<target>.*)>", "redirect action: forwarded to <bea@example.net>",
        "A Sieve script sent the message on to another address.", action="sieve_redirected",
    ),
    _sieve(
        rf"{_NAME}discarded duplicate forward to <(?P<target>.*)>", "redirect action: discarded duplicate forward to <bea@example.net>",
        "The message had been sent on to that address before, so it was not sent again.", action="duplicate_dropped",
    ),
    _sieve(
        rf"{_NAME}(?:failed to (?:redirect|forward) message to|not forwarding(?: duplicate)? message to|forwarding to) <(?P<target>.*?)>:? ?(?P<reason>.*)",
        "redirect action: failed to redirect message to <bea@example.net>: Connection refused (temporary failure)",
        "A Sieve script should have sent the message on, and could not.", kind="dovecot.sieve_failed",
    ),
    _sieve(
        rf"{_NAME}(?:not forwarding|redirect)(?P<reason> .*mail loop.*| message: .*)",
        "redirect action: not forwarding message to protect against a mail loop",
        "A Sieve script should have sent the message on; that would make a loop.", kind="dovecot.sieve_failed",
    ),
    _sieve(
        rf"{_NAME}[Mm]arked message to be discarded if not explicitly delivered(?: \(discard action\))?",
        "discard action: Marked message to be discarded if not explicitly delivered (discard action)",
        "A Sieve script threw the message away; the sender was told that it is saved.", action="sieve_discarded",
    ),
    _sieve(
        rf"{_NAME}discarded(?: message)?(?: \((?P<reason>[^()]*)\))?", "discarded",
        "A Sieve script threw the message away; the sender was told that it is saved.", action="sieve_discarded",
    ),
    _sieve(
        rf"{_NAME}(?:rejected|refused) message from <(?P<sender>.*)> \((?P<reason>.*)\)",
        "reject action: rejected message from <alex@example.com> (reject)",
        "A Sieve script refused the message after it was accepted; the sender gets a notice.", action="sieve_rejected",
    ),
    _sieve(
        rf"{_NAME}(?P<reason>not sending reject(?:ion)? message .*)", "reject action: not sending reject message to <>",
        "A Sieve script refused the message; nobody is told, because it has no sender.", action="sieve_rejected",
    ),
    _sieve(
        rf"{_NAME}failed to send rejection message to <(?P<target>.*?)>: (?P<reason>.*)",
        "reject action: failed to send rejection message to <alex@example.com>: Connection refused (temporary failure)",
        "A Sieve script refused the message, and the notice to the sender could not be sent.", kind="dovecot.sieve_failed",
    ),
    _sieve(
        rf"{_NAME}sent vacation response to <(?P<target>.*)>", "vacation action: sent vacation response to <alex@example.com>",
        "A Sieve script answered the sender.", action="vacation_sent",
    ),
    _sieve(
        rf"{_NAME}discarded duplicate vacation (?:response|reply) to <(?P<target>.*)>",
        "vacation action: discarded duplicate vacation response to <alex@example.com>",
        "The sender had been answered before, so there is no second answer.", action="duplicate_dropped",
    ),
    _sieve(
        rf"{_NAME}(?:discard(?:ed|ing)|not sending) vacation (?:response|reply)(?: to (?P<target><.*?>))?(?P<reason>.*)",
        "vacation action: discarding vacation response to mailinglist recipient <list@example.org>",
        "No answer was sent, because one would not be fit here.", kind="dovecot.vacation_not_sent",
    ),
    _sieve(
        rf"{_NAME}failed to send vacation response to <(?P<target>.*?)>: (?P<reason>.*)",
        "vacation action: failed to send vacation response to <alex@example.com>: Connection refused (temporary failure)",
        "A Sieve script should have answered the sender, and could not.", kind="dovecot.sieve_failed",
    ),
    _sieve(
        rf"{_NAME}sent (?:mail )?notification to <?(?P<target>.*?)>?(?: \(.*\))?",
        "notify action: sent mail notification to <pager@example.net>",
        "A Sieve script told another address of the message.", kind="dovecot.sieve_notified",
    ),
    _sieve(
        rf"{_NAME}sent (?:abuse )?report(?: to)? <?(?P<target>.*?)>?(?: .*)?",
        "report action: sent report to <abuse@example.org>",
        "A Sieve script sent a report on the message.", kind="dovecot.sieve_notified",
    ),
    _sieve(
        rf"{_NAME}(?:discarded (?:duplicate )?notification|not sending (?:mail )?notification|ignoring notification)(?P<reason>.*)",
        "notify action: not sending notification to <>",
        "No notification was sent.", kind="dovecot.sieve_notified",
    ),
    _sieve(
        rf"{_NAME}(?:piped message to|executed|filtered message (?:with|through)) program [`'](?P<target>.*)'(?P<reason>.*)",
        "pipe action: piped message to program 'learn-spam.sh'",
        "A Sieve script handed the message to a program.", kind="dovecot.sieve_program",
    ),
    _sieve(
        rf"{_NAME}failed to (?:pipe message to|execute(?: to)?|filter message (?:with|through)) program [`'](?P<target>.*?)'(?P<reason>.*)",
        "pipe action: failed to pipe message to program 'learn-spam.sh': vanished",
        "A Sieve script should have handed the message to a program, and could not.", kind="dovecot.sieve_failed",
    ),
)  # fmt: skip


def _script(text: str, example: str, means: str) -> Shape:
    return Shape(
        kind="dovecot.sieve_failed",
        programs=_SERVICES,
        starts="sieve: ",
        pattern=rf"{_HEAD}{text}",
        example=f"sieve: {example}",
        means=means,
        constants=told("sieve"),
    )


_SCRIPTS = (
    _script(
        r"Execution of script(?: [`']?(?P<script>.*?)'?)? (?P<reason>(?:failed|was aborted|timed out|exceeded).*)",
        "Execution of script 'junk/10-junk' failed with unsuccessful implicit keep",
        "A Sieve script failed; the reason says whether the message was kept all the same.",
    ),
    _script(
        r"(?P<reason>Failed to (?:open|compile|re-compile|access|initialize|load)[^`']*)(?:[`'](?P<script>.*?)'(?: .*)?)?",
        "Failed to compile script '/srv/mail/example.com/anna/.dovecot.sieve' (view user logfile for more information)",
        "A Sieve script could not be used; mail is delivered as if there were none.",
    ),
    _script(
        r"(?P<reason>Aborted script execution sequence.*|Script execution .*|Encountered corrupt binary.*|!!BUG!!.*|The LDA Sieve plugin .*"
        r"|Maximum number of .*|Binary .*)",
        "Aborted script execution sequence with successful implicit keep",
        "A Sieve script could not be run as it should.",
    ),
    _script(
        r"(?:binary|file script|script|file storage|storage|ldap storage|dict storage) (?P<script>[^:]+): (?P<reason>.*)",
        "binary /etc/dovecot/sieve/learn-spam.svbin: save: failed to create temporary file: Permission denied",
        "A Sieve script, or the place where it is kept, could not be read or written.",
    ),
    _script(
        r"(?P<script>[^:=]+): line (?P<line>[0-9]+): (?P<reason>.*)",
        "main_script: line 4: error: unknown command 'filinto' (only reported once at first occurrence)",
        "A Sieve script has a fault in that line.",
    ),
    _script(
        r"(?P<script>[^:= ]+): (?P<reason>(?:error|warning|info|debug): .*|.*(?:error|failed|invalid|not found|exceeded|corrupt).*)",
        "main_script: error: validation failed",
        "A Sieve script has a fault.",
    ),
)  # fmt: skip

SIEVE_SHAPES = (*_STORED, *_SENT, *_SCRIPTS)
