"""Moving bytes: files of this machine to S3 and back, by URLs that the store hands out."""
