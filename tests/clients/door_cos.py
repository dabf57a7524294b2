"""Checks of the bucket endpoint with the COS SDK."""

import os
import tempfile
import time
import urllib.parse

import requests
from qcloud_cos import CosConfig, CosS3Client, CosServiceError

from door import MIB, check, md5, refused


@check
def cos_put_list_get(d):
    put = d.cos.put_object(Bucket=d.bucket, Body=b"from cos", Key="check/cos/片 a+b.txt", EnableMD5=True)
    assert put["ETag"] == f'"{md5(b"from cos")}"' and put["x-cos-request-id"]
    listed = d.cos.list_objects(Bucket=d.bucket, Prefix="check/cos/")
    assert [item["Key"] for item in listed["Contents"]] == ["check/cos/片 a+b.txt"]
    assert listed["Contents"][0]["Size"] == "8"
    got = d.cos.get_object(Bucket=d.bucket, Key="check/cos/片 a+b.txt")
    assert got["Body"].get_raw_stream().read() == b"from cos"
    assert d.get("check/cos/片 a+b.txt") == b"from cos", "the same object for S3 clients"
    head = d.cos.head_object(Bucket=d.bucket, Key="check/cos/片 a+b.txt")
    assert head["Content-Length"] == "8"
    part = d.cos.get_object(Bucket=d.bucket, Key="check/cos/片 a+b.txt", Range="bytes=5-7")
    assert part["Body"].get_raw_stream().read() == b"cos"


@check
def cos_wrong_key(d):
    wrong = d.cos_client(d.o.secret_id, "wrong")
    refused("SignatureDoesNotMatch", wrong.put_object, Bucket=d.bucket, Body=b"x", Key="check/cos/w")
    refused("SignatureDoesNotMatch", wrong.list_objects, Bucket=d.bucket)
    refused(("InvalidAccessKeyId", "AccessDenied"), d.cos_client("AKIDnobody", "x").list_objects, Bucket=d.bucket)
    refused("NoSuchKey", d.get, "check/cos/w")
    if d.o.other_id:
        refused("AccessDenied", d.cos_client(d.o.other_id, d.o.other_key).list_objects, Bucket=d.bucket)


@check
def cos_errors_are_readable(d):
    error = refused("NoSuchKey", d.cos.get_object, Bucket=d.bucket, Key="check/none")
    assert error.get_status_code() == 404 and error.get_resource_location() and error.get_trace_id()
    try:
        d.cos.head_object(Bucket=d.bucket, Key="check/none")
        raise AssertionError("found")
    except CosServiceError as error:
        assert error.get_status_code() == 404
    refused("NoSuchBucket", d.cos.list_objects, Bucket=f"check-none-{d.bucket.rsplit('-', 1)[-1]}")


@check
def cos_metadata_and_copy(d):
    d.cos.put_object(Bucket=d.bucket, Body=b"x", Key="check/cos/m", Metadata={"x-cos-meta-who": "me"}, ContentType="text/z")
    head = d.cos.head_object(Bucket=d.bucket, Key="check/cos/m")
    assert head["x-cos-meta-who"] == "me" and head["Content-Type"] == "text/z"
    d.cos.copy_object(Bucket=d.bucket, Key="check/cos/m2",
                      CopySource={"Bucket": d.bucket, "Key": "check/cos/m", "Region": d.o.region})
    assert d.cos.head_object(Bucket=d.bucket, Key="check/cos/m2")["x-cos-meta-who"] == "me"
    assert d.get("check/cos/m2") == b"x"
    assert d.cos.object_exists(Bucket=d.bucket, Key="check/cos/m") and not d.cos.object_exists(Bucket=d.bucket, Key="check/cos/no")


@check
def cos_multipart(d):
    body = os.urandom(12 * MIB)
    with tempfile.NamedTemporaryFile() as source, tempfile.NamedTemporaryFile() as back:
        source.write(body)
        source.flush()
        answer = d.cos.upload_file(Bucket=d.bucket, Key="check/cos/big", LocalFilePath=source.name, PartSize=1, MAXThread=5)
        assert answer["ETag"].endswith('-12"'), answer
        d.cos.download_file(Bucket=d.bucket, Key="check/cos/big", DestFilePath=back.name)
        assert open(back.name, "rb").read() == body
    upload = d.cos.create_multipart_upload(Bucket=d.bucket, Key="check/cos/ab")["UploadId"]
    d.cos.upload_part(Bucket=d.bucket, Key="check/cos/ab", Body=b"x", PartNumber=1, UploadId=upload)
    parts = d.cos.list_parts(Bucket=d.bucket, Key="check/cos/ab", UploadId=upload)
    assert parts["Part"][0]["PartNumber"] == "1"
    open_ones = d.cos.list_multipart_uploads(Bucket=d.bucket, Prefix="check/cos/ab")
    assert open_ones["Upload"][0]["UploadId"] == upload
    d.cos.abort_multipart_upload(Bucket=d.bucket, Key="check/cos/ab", UploadId=upload)


@check
def cos_delete(d):
    for key in ["check/cos/d1", "check/cos/d2", "check/cos/d3"]:
        d.cos.put_object(Bucket=d.bucket, Body=b"x", Key=key)
    d.cos.delete_object(Bucket=d.bucket, Key="check/cos/d1")
    answer = d.cos.delete_objects(Bucket=d.bucket, Delete={"Object": [{"Key": "check/cos/d2"}, {"Key": "check/cos/d3"}]})
    assert len(answer["Deleted"]) == 2
    assert d.keys("check/cos/d") == []


@check
def cos_presigned(d):
    d.cos.put_object(Bucket=d.bucket, Body=b"cos signed", Key="check/cos/pre é")
    address = urllib.parse.urlparse(d.o.endpoint)
    host = f"{d.bucket}.cos.{d.o.region}.myqcloud.com"
    for make in (d.cos.get_presigned_url, ):
        url = make(Method="GET", Bucket=d.bucket, Key="check/cos/pre é", Expired=60, Headers={"host": host})
        found = requests.get(url.replace(host, address.netloc), headers={"Host": host})
        assert found.content == b"cos signed", found.text
        assert requests.get(url.replace(host, address.netloc).replace("pre", "prx"), headers={"Host": host}).status_code == 403
    url = d.cos.get_presigned_url(Method="GET", Bucket=d.bucket, Key="check/cos/pre é", Expired=1, Headers={"host": host})
    time.sleep(2.1)
    assert requests.get(url.replace(host, address.netloc), headers={"Host": host}).status_code == 403


@check
def cos_wrong_region(d):
    other = "ap-tokyo" if d.o.region != "ap-tokyo" else "ap-nanjing"
    address = urllib.parse.urlparse(d.o.endpoint)
    config = CosConfig(Region=other, SecretId=d.o.secret_id, SecretKey=d.o.secret_key, Scheme=address.scheme,
                       IP=address.hostname, Port=address.port)
    refused("NoSuchBucket", CosS3Client(config, retry=0).list_objects, Bucket=d.bucket)


@check
def cos_buckets(d):
    name = f"check-cos-{d.bucket.rsplit('-', 1)[-1]}"
    d.cos.create_bucket(Bucket=name)
    try:
        d.cos.head_bucket(Bucket=name)
        listed = d.cos.list_buckets()["Buckets"]["Bucket"]
        assert name in [bucket["Name"] for bucket in listed]
        assert d.cos.bucket_exists(Bucket=name)
    finally:
        d.cos.delete_bucket(Bucket=name)
    assert not d.cos.bucket_exists(Bucket=name)
