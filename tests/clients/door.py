"""What checks of the bucket endpoint have in common: clients of both vendors, and how they are refused."""

import hashlib
import urllib.parse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from qcloud_cos import CosConfig, CosS3Client, CosServiceError

CHECKS = []
MIB = 1024 * 1024


def check(function):
    CHECKS.append(function)
    return function


class Door:
    """The endpoint with clients for it."""

    def __init__(self, options):
        self.o = options
        self.bucket = options.bucket
        self.s3 = self.s3_client(options.secret_id, options.secret_key)
        self.cos = self.cos_client(options.secret_id, options.secret_key)

    def s3_client(self, key_id, key, **config):
        config = {"signature_version": "s3v4", "s3": {"addressing_style": "path"}, "retries": {"max_attempts": 1}, **config}
        return boto3.client(
            "s3", endpoint_url=self.o.endpoint, aws_access_key_id=key_id, aws_secret_access_key=key,
            region_name=self.o.region, config=Config(**config))

    def cos_client(self, key_id, key):
        address = urllib.parse.urlparse(self.o.endpoint)
        config = CosConfig(Region=self.o.region, SecretId=key_id, SecretKey=key, Scheme=address.scheme,
                           IP=address.hostname, Port=address.port, ServiceDomain=address.netloc)
        return CosS3Client(config, retry=0)

    def put(self, key, body=b"", **more):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        return self.s3.get_object(Bucket=self.bucket, Key=key, **more)["Body"].read()

    def keys(self, prefix, **more):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, **more)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def parts(self, key, bodies, first=1):
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key)["UploadId"]
        parts = []
        for number, body in enumerate(bodies, first):
            answer = self.s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        return upload, parts

    def complete(self, key, upload, parts, **more):
        return self.s3.complete_multipart_upload(
            Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more)


def refused(code, call, *args, **named):
    """The call is refused with one of the codes."""
    codes = code if isinstance(code, tuple) else (code,)
    try:
        call(*args, **named)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found in codes, f"refused with {found}, not {codes}"
        return error.response
    except CosServiceError as error:
        found = error.get_error_code()
        assert found in codes, f"refused with {found}, not {codes}: {error}"
        assert error.get_request_id() not in ("", "Unknown")
        return error
    raise AssertionError(f"not refused with {codes}")


def md5(data):
    return hashlib.md5(data).hexdigest()
