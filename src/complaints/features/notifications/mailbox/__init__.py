"""Mail in: mails of a mailbox become complaints, contacts, or reports that a sent mail bounced."""
