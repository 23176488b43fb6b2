"""Objects of the service's own in an S3 bucket: small ones, and large ones that are uploaded while they are made."""

from transcoder.edge.object_store.bucket import PATIENT, ObjectStore, ObjectStoreError
from transcoder.edge.object_store.upload import ABORT_SECONDS, ObjectHead, ObjectUpload, uploading

__all__ = ["ABORT_SECONDS", "PATIENT", "ObjectHead", "ObjectStore", "ObjectStoreError", "ObjectUpload", "uploading"]
