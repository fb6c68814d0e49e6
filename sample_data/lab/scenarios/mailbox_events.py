"""After delivery: what people do to their mail by IMAP and POP3."""

import clients
from truth import fate
from world import NAMELESS, OFFICE_A, OFFICE_A2, OFFICE_B, PHONE

README = """
Bob moves an advertisement to Junk, and imapsieve hands it to Rspamd to learn (no success line in Dovecot). Bella moves a wrongly filed mail out of Junk.
Paul fetches two mails by POP3 and deletes one of them. Anna copies a mail to "Projects" and deletes the original; Amy moves one to Trash and empties it;
Alex flags, undeletes and keeps his. Arno's mailbox "Old" is renamed and then deleted with a mail in it. Agnes's phone drops the connection.
The outcome of each copy is its last known fate.
"""
OPTIONS = {"mx": {"dovecot": {"training": True}}}


def run(lab):
    mail, mx = lab.mail, lab.mx
    advert = lab.receive(
        "to-junk",
        "192.0.2.40",
        "out.example.edu",
        "carla@example.edu",
        ["bob@example.org"],
        "Our new catalogue",
    )
    lab.settle(advert, "bob@example.org")
    clients.move(mx.address, OFFICE_B, "bob@example.org", advert.message_id, "Junk")
    advert.recipients = [
        fate("bob@example.org", "delivered", mailbox="Junk", moved_by="imap", moved_from="INBOX")
    ]

    wrong = lab.receive(
        "from-junk",
        NAMELESS,
        "vps67.hosting.test",
        "club@hosting.test",
        ["bella@example.org"],
        "Casino bonus at our club",
    )
    lab.settle(wrong, "bella@example.org")
    clients.move(mx.address, OFFICE_B, "bella@example.org", wrong.message_id, "INBOX", "Junk")
    wrong.recipients = [
        fate("bella@example.org", "delivered", mailbox="INBOX", moved_by="imap", moved_from="Junk")
    ]

    one = lab.submit("pop-1", "alex@example.com", ["paul@example.com"], "Delivery note 88123")
    lab.settle(one, "paul@example.com")
    two = lab.submit("pop-2", "alex@example.com", ["paul@example.com"], "Delivery note 88124")
    lab.settle(two, "paul@example.com")
    lab.remember()
    session = clients.Pop(mail.address, PHONE, "paul@example.com")
    for number in (1, 2):
        session.retr(number)
    session.dele(1)
    session.quit()
    one.recipients = [fate("paul@example.com", "retrieved_and_deleted", deleted_from="INBOX")]

    project = lab.submit("copied", "alex@example.com", ["anna@example.com"], "Draft of the report")
    lab.settle(project, "anna@example.com")
    imap = clients.Imap(mail.address, OFFICE_A2, "anna@example.com")
    uid = imap.find("INBOX", project.message_id).decode()
    imap.create("Projects")
    imap.uid("COPY", uid, "Projects")
    imap.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
    imap.expunge()
    imap.logout()
    project.recipients = [
        fate("anna@example.com", "delivered", mailbox="Projects", moved_by="imap", moved_from="INBOX")
    ]

    binned = lab.submit("trashed", "bob@example.org", ["amy@example.com"], "Lunch on Friday?")
    lab.settle(binned, "amy@example.com")
    lab.remember()
    clients.move(mail.address, OFFICE_A2, "amy@example.com", binned.message_id, "Trash")
    clients.expunge(mail.address, OFFICE_A2, "amy@example.com", binned.message_id, "Trash")
    binned.recipients = [fate("amy@example.com", "expunged", deleted_from="Trash")]

    kept = lab.submit("undeleted", "anna@example.com", ["alex@example.com"], "Room change")
    lab.settle(kept, "alex@example.com")
    imap = clients.Imap(mail.address, OFFICE_A, "alex@example.com")
    uid = imap.find("INBOX", kept.message_id).decode()
    imap.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
    imap.uid("STORE", uid, "-FLAGS", r"(\Deleted)")
    imap.uid("STORE", uid, "+FLAGS", r"(\Flagged)")
    imap.logout()

    old = lab.submit("box-deleted", "alex@example.com", ["arno@example.com"], "Holiday plan")
    lab.settle(old, "arno@example.com")
    lab.remember()
    clients.move(mail.address, OFFICE_A, "arno@example.com", old.message_id, "Old")
    imap = clients.Imap(mail.address, OFFICE_A, "arno@example.com")
    imap.rename("Old", "Older")
    imap.delete("Older")
    imap.logout()
    old.recipients = [
        fate("arno@example.com", "expunged", deleted_from="Older", acceptable=["expunged", "delivered"])
    ]

    last = lab.submit("dropped", "amy@example.com", ["agnes@example.com"], "Minutes of the meeting")
    lab.settle(last, "agnes@example.com")
    imap = clients.Imap(mail.address, PHONE, "agnes@example.com")
    imap.select("INBOX")
    imap.shutdown()
    lab.wait_empty()
