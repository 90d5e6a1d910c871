"""The bytes of attachments: each blob has an id and stands in a directory or in S3."""
