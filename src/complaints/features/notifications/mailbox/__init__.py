"""Mail in: mails of a mailbox become complaints, contacts, or reports that a mail of ours bounced."""
