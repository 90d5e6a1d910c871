"""Where the bytes of attachments are kept, and what scans them."""

from urllib.parse import urlsplit

from complaints.domain.complaint.attachments import AttachmentLimits
from complaints.outbound.clamd import Clamd
from complaints.settings import Settings
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.blobs.store import BlobStore
from complaints.use_cases.attachments.scanning import Scanner
from complaints.use_cases.service import AttachmentStore
from complaints.wiring.not_ready import NotReady


def open_attachment_store(settings: Settings) -> AttachmentStore:
    """The store of attachments with its limits. Raises NotReady for settings that name no place."""
    limits = AttachmentLimits(
        most_bytes=settings.attachment_bytes,
        most_of_complaint=settings.attachments_of_complaint,
        most_bytes_of_complaint=settings.attachment_bytes_of_complaint,
        media_types=tuple(settings.attachment_types.lower().replace(",", " ").split()),
    )
    return AttachmentStore(_open_blobs(settings), limits, is_scanned=open_scanner(settings) is not None)


def open_scanner(settings: Settings) -> Scanner | None:
    """The scanner of attachments; None without one. Raises NotReady for an address of another form."""
    if settings.clamd_url is None:
        return None
    try:
        return Clamd(settings.clamd_url)
    except ValueError as error:
        raise NotReady(f"COMPLAINTS_CLAMD_URL {error}.") from error


def _open_blobs(settings: Settings) -> BlobStore:
    if settings.attachments_url is not None:
        if settings.attachments_dir is not None:
            raise NotReady("Set one of COMPLAINTS_ATTACHMENTS_DIR and COMPLAINTS_ATTACHMENTS_URL, not both.")
        return _open_bucket(settings.attachments_url)
    if settings.attachments_dir is None:
        return BlobDirectory(settings.data_dir.absolute() / "attachments")
    if not settings.attachments_dir.is_dir():
        # A directory that is made here could hide a shared one that is not mounted.
        raise NotReady(
            f"COMPLAINTS_ATTACHMENTS_DIR: there is no directory {settings.attachments_dir}: make it, or mount it."
        )
    return BlobDirectory(settings.attachments_dir.absolute())


def _open_bucket(url: str) -> BlobStore:
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise NotReady("COMPLAINTS_ATTACHMENTS_URL must be s3://bucket/prefix.")
    try:
        # To load the library takes 0.4 s, and it is an extra.
        from complaints.storage.blobs.s3 import BlobBucket

        return BlobBucket(parts.netloc, parts.path)
    except ImportError as error:
        raise NotReady(
            "COMPLAINTS_ATTACHMENTS_URL needs the extra for S3: install it with `pip install 'complaints[s3]'`."
        ) from error
    except ValueError as error:
        raise NotReady(f"COMPLAINTS_ATTACHMENTS_URL: {error}. The settings of S3 begin with AWS_.") from error
