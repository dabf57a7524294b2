#!/usr/bin/env python3
"""Checks the bucket endpoint of a running server with the clients that people have: boto3 and the COS SDK.

    s3_door.py --endpoint URL --secret-id ID --secret-key KEY --bucket NAME-APPID --region REGION
               [--other-id ID --other-key KEY]   a key of another account
               [--only TEXT]                     only checks whose name holds TEXT

The bucket exists; what lies in it below `check/` is removed. Each check prints a line; the exit status is 1 if one
failed. Needs boto3, cos-python-sdk-v5 and requests.
"""

import argparse
import base64
import hashlib
import os
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
import zlib

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

import door_cos  # noqa: F401, its checks are found by being imported
from door import CHECKS, MIB, Door, check, md5, refused

# --- objects ---------------------------------------------------------------------------------------------------


@check
def put_and_get(d):
    body = os.urandom(300_000)
    put = d.put("check/a.bin", body, ContentType="video/mp4", Metadata={"who": "me"}, CacheControl="max-age=5")
    assert put["ETag"] == f'"{md5(body)}"'
    got = d.s3.get_object(Bucket=d.bucket, Key="check/a.bin")
    assert got["Body"].read() == body and got["ContentLength"] == len(body)
    assert got["ContentType"] == "video/mp4" and got["Metadata"] == {"who": "me"}
    assert got["CacheControl"] == "max-age=5" and got["AcceptRanges"] == "bytes"
    head = d.s3.head_object(Bucket=d.bucket, Key="check/a.bin")
    assert head["ContentLength"] == len(body) and head["ETag"] == put["ETag"]
    assert abs(head["LastModified"].timestamp() - time.time()) < 300
    assert head["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"]


@check
def type_follows_the_extension(d):
    requests_put = d.s3.generate_presigned_url("put_object", Params={"Bucket": d.bucket, "Key": "check/b.mp4"})
    assert requests.put(requests_put, data=b"x").status_code == 200
    assert d.s3.head_object(Bucket=d.bucket, Key="check/b.mp4")["ContentType"] == "video/mp4"


@check
def empty_object(d):
    d.put("check/empty")
    assert d.get("check/empty") == b""
    assert d.s3.head_object(Bucket=d.bucket, Key="check/empty")["ContentLength"] == 0


@check
def new_folder(d):
    d.put("check/folder/")
    assert d.get("check/folder/") == b""
    d.put("check/folder/x", b"1")
    d.put("check/folder", b"2")
    assert d.get("check/folder") == b"2" and d.get("check/folder/") == b""


@check
def overwrite(d):
    d.put("check/over", b"one")
    d.put("check/over", b"second")
    assert d.get("check/over") == b"second"


@check
def odd_keys(d):
    keys = ["check/ü ñ/片.mp4", "check/a b+c", "check/a//b", "check/a/./b", "check/a/../b", "check/%41", "check/q?x=1&y#z",
            "check/'\"<>&", "check/" + "x" * 900, "check/" + "片" * 330, "check/~tilde", "check/.hidden", "check/tab\there",
            "check/back\\slash", "check/a=b;c,d:e@f!$(g)*", "check//", "check/😀"]
    for key in keys:
        d.put(key, key.encode())
    for key in keys:
        assert d.get(key) == key.encode(), key
    listed = d.keys("check/")
    for key in keys:
        assert key in listed, key
    assert listed == sorted(listed, key=lambda key: key.encode())


@check
def too_long_key(d):
    refused("KeyTooLongError", d.put, "check/" + "x" * 1019, b"")


@check
def ranges(d):
    body = bytes(range(256)) * 40
    d.put("check/range", body)
    for text, wanted in [("bytes=0-9", body[:10]), ("bytes=100-", body[100:]), ("bytes=-7", body[-7:]),
                         ("bytes=10000-99999", body[10000:]), ("bytes=-99999", body)]:
        got = d.s3.get_object(Bucket=d.bucket, Key="check/range", Range=text)
        assert got["Body"].read() == wanted, text
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206, text
    got = d.s3.get_object(Bucket=d.bucket, Key="check/range", Range="bytes=5-6")
    assert got["ContentRange"] == f"bytes 5-6/{len(body)}"
    refused("InvalidRange", d.get, "check/range", Range="bytes=999999-")


@check
def conditional_get(d):
    etag = d.put("check/cond", b"x")["ETag"]
    assert d.get("check/cond", IfMatch=etag) == b"x"
    refused("PreconditionFailed", d.get, "check/cond", IfMatch='"other"')
    refused("304", d.get, "check/cond", IfNoneMatch=etag)
    refused("304", d.get, "check/cond", IfModifiedSince=time.time() + 3600)
    refused("PreconditionFailed", d.get, "check/cond", IfUnmodifiedSince=1_000_000_000)
    assert d.get("check/cond", IfModifiedSince=1_000_000_000) == b"x"


@check
def conditional_put(d):
    d.s3.delete_object(Bucket=d.bucket, Key="check/once")
    d.put("check/once", b"1", IfNoneMatch="*")
    refused("PreconditionFailed", d.put, "check/once", b"2", IfNoneMatch="*")
    etag = d.s3.head_object(Bucket=d.bucket, Key="check/once")["ETag"]
    d.put("check/once", b"3", IfMatch=etag)
    refused("PreconditionFailed", d.put, "check/once", b"4", IfMatch=etag)
    assert d.get("check/once") == b"3"


@check
def content_md5(d):
    good = base64.b64encode(hashlib.md5(b"body").digest()).decode()
    d.put("check/md5", b"body", ContentMD5=good)
    d.s3.delete_object(Bucket=d.bucket, Key="check/md5-bad")
    refused("BadDigest", d.put, "check/md5-bad", b"other", ContentMD5=good)
    refused("NoSuchKey", d.get, "check/md5-bad")
    refused("InvalidDigest", d.put, "check/md5-bad", b"other", ContentMD5="bm90IG1kNQ==")


@check
def checksums(d):
    crc = base64.b64encode(zlib.crc32(b"body").to_bytes(4, "big")).decode()
    put = d.put("check/sum", b"body", ChecksumCRC32=crc)
    assert put["ChecksumCRC32"] == crc
    head = d.s3.head_object(Bucket=d.bucket, Key="check/sum", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == crc
    sha = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    assert d.put("check/sum", b"body", ChecksumAlgorithm="SHA256")["ChecksumSHA256"] == sha
    refused(("BadDigest", "InvalidRequest"), d.put, "check/sum-bad", b"other", ChecksumCRC32=crc)
    refused("NoSuchKey", d.get, "check/sum-bad")


@check
def stream_of_unknown_length(d):
    url = d.s3.generate_presigned_url("put_object", Params={"Bucket": d.bucket, "Key": "check/stream"})
    answer = requests.put(url, data=(bytes([n % 251]) * 100_000 for n in range(50)))
    assert answer.status_code == 200, answer.text
    assert len(d.get("check/stream")) == 5_000_000


@check
def broken_upload_leaves_nothing(d):
    import socket
    url = urllib.parse.urlparse(d.s3.generate_presigned_url("put_object", Params={"Bucket": d.bucket, "Key": "check/broken"}))
    with socket.create_connection((url.hostname, url.port)) as line:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 1000000\r\n\r\n"
        line.sendall(head.encode() + b"x" * 5000)
    time.sleep(0.3)
    refused("NoSuchKey", d.get, "check/broken")


@check
def unsupported_is_refused(d):
    refused("NotImplemented", d.put, "check/no", b"", ACL="public-read")
    refused("NotImplemented", d.put, "check/no", b"", ServerSideEncryption="AES256")
    refused("InvalidStorageClass", d.put, "check/no", b"", StorageClass="GLACIER")
    refused("NotImplemented", d.s3.put_bucket_versioning, Bucket=d.bucket, VersioningConfiguration={"Status": "Enabled"})
    refused("NoSuchKey", d.get, "check/no")


@check
def copy(d):
    d.put("check/src é", b"copied", ContentType="text/x", Metadata={"a": "1"})
    d.s3.copy_object(Bucket=d.bucket, Key="check/dst", CopySource={"Bucket": d.bucket, "Key": "check/src é"})
    got = d.s3.get_object(Bucket=d.bucket, Key="check/dst")
    assert got["Body"].read() == b"copied" and got["ContentType"] == "text/x" and got["Metadata"] == {"a": "1"}
    d.s3.copy_object(Bucket=d.bucket, Key="check/dst", CopySource=f"{d.bucket}/check/dst",
                     MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="text/y")
    head = d.s3.head_object(Bucket=d.bucket, Key="check/dst")
    assert head["Metadata"] == {"b": "2"} and head["ContentType"] == "text/y"
    refused("InvalidRequest", d.s3.copy_object, Bucket=d.bucket, Key="check/dst", CopySource=f"{d.bucket}/check/dst")
    refused("NoSuchKey", d.s3.copy_object, Bucket=d.bucket, Key="check/x", CopySource=f"{d.bucket}/check/none")


@check
def delete(d):
    d.put("check/del", b"1")
    d.s3.delete_object(Bucket=d.bucket, Key="check/del")
    d.s3.delete_object(Bucket=d.bucket, Key="check/del")
    refused("NoSuchKey", d.get, "check/del")
    refused("404", d.s3.head_object, Bucket=d.bucket, Key="check/del")


@check
def delete_many(d):
    keys = [f"check/many/{n} ü" for n in range(30)]
    for key in keys:
        d.put(key)
    answer = d.s3.delete_objects(Bucket=d.bucket, Delete={"Objects": [{"Key": key} for key in keys + ["check/none"]]})
    assert len(answer["Deleted"]) == 31 and "Errors" not in answer
    assert d.keys("check/many/") == []


@check
def tags(d):
    d.put("check/tag", b"", Tagging="a=1&b=x%20y")
    found = d.s3.get_object_tagging(Bucket=d.bucket, Key="check/tag")["TagSet"]
    assert found == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
    d.s3.put_object_tagging(Bucket=d.bucket, Key="check/tag", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert d.s3.get_object_tagging(Bucket=d.bucket, Key="check/tag")["TagSet"] == [{"Key": "c", "Value": "3"}]
    d.s3.delete_object_tagging(Bucket=d.bucket, Key="check/tag")
    assert d.s3.get_object_tagging(Bucket=d.bucket, Key="check/tag")["TagSet"] == []


@check
def attributes_and_acl(d):
    d.put("check/attr", b"12345")
    found = d.s3.get_object_attributes(Bucket=d.bucket, Key="check/attr", ObjectAttributes=["ETag", "ObjectSize"])
    assert found["ObjectSize"] == 5 and found["ETag"].strip('"') == md5(b"12345")
    assert d.s3.get_object_acl(Bucket=d.bucket, Key="check/attr")["Grants"][0]["Permission"] == "FULL_CONTROL"


# --- lists -----------------------------------------------------------------------------------------------------


@check
def list_pages(d):
    keys = [f"check/page/{n:03}" for n in range(25)]
    for key in keys:
        d.put(key)
    assert d.keys("check/page/", PaginationConfig={"PageSize": 7}) == keys
    v1 = d.s3.get_paginator("list_objects").paginate(Bucket=d.bucket, Prefix="check/page/", PaginationConfig={"PageSize": 4})
    assert [item["Key"] for page in v1 for item in page["Contents"]] == keys
    after = d.s3.list_objects_v2(Bucket=d.bucket, Prefix="check/page/", StartAfter="check/page/020")
    assert [item["Key"] for item in after["Contents"]] == keys[21:]
    none = d.s3.list_objects_v2(Bucket=d.bucket, Prefix="check/page/", MaxKeys=0)
    assert none["KeyCount"] == 0 and not none["IsTruncated"]
    refused("InvalidArgument", d.s3.list_objects_v2, Bucket=d.bucket, ContinuationToken="zz")


@check
def list_folders(d):
    for key in ["check/tree/a", "check/tree/b/1", "check/tree/b/2", "check/tree/c d/1", "check/tree/e"]:
        d.put(key)
    page = d.s3.list_objects_v2(Bucket=d.bucket, Prefix="check/tree/", Delimiter="/")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["check/tree/b/", "check/tree/c d/"]
    assert [o["Key"] for o in page["Contents"]] == ["check/tree/a", "check/tree/e"] and page["KeyCount"] == 4
    seen = []
    for page in d.s3.get_paginator("list_objects_v2").paginate(
            Bucket=d.bucket, Prefix="check/tree/", Delimiter="/", PaginationConfig={"PageSize": 1}):
        seen += [p["Prefix"] for p in page.get("CommonPrefixes", [])] + [o["Key"] for o in page.get("Contents", [])]
    assert seen == ["check/tree/a", "check/tree/b/", "check/tree/c d/", "check/tree/e"]


# --- parts -----------------------------------------------------------------------------------------------------


@check
def multipart_100_mb(d):
    block = os.urandom(MIB)
    digest = hashlib.md5()
    with tempfile.NamedTemporaryFile() as source, tempfile.NamedTemporaryFile() as back:
        for _ in range(100):
            source.write(block)
            digest.update(block)
        source.flush()
        began = time.time()
        d.s3.upload_file(source.name, d.bucket, "check/big", Config=TransferConfig(multipart_chunksize=8 * MIB))
        up = time.time() - began
        began = time.time()
        d.s3.download_file(d.bucket, "check/big", back.name)
        print(f"       100 MB up {up:.2f} s, down {time.time() - began:.2f} s")
        again = hashlib.md5()
        with open(back.name, "rb") as whole:
            while chunk := whole.read(MIB):
                again.update(chunk)
        assert again.hexdigest() == digest.hexdigest()
    head = d.s3.head_object(Bucket=d.bucket, Key="check/big")
    assert head["ContentLength"] == 100 * MIB and head["ETag"].endswith('-13"')


@check
def multipart_answers(d):
    one, two = os.urandom(5 * MIB), b"end"
    upload, parts = d.parts("check/mp", [one, two])
    refused("NoSuchKey", d.get, "check/mp")
    listed = d.s3.list_parts(Bucket=d.bucket, Key="check/mp", UploadId=upload)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(1, len(one)), (2, 3)]
    first = d.s3.list_parts(Bucket=d.bucket, Key="check/mp", UploadId=upload, MaxParts=1)
    assert first["IsTruncated"] and first["NextPartNumberMarker"] == 1
    open_ones = d.s3.list_multipart_uploads(Bucket=d.bucket, Prefix="check/mp")["Uploads"]
    assert [u["UploadId"] for u in open_ones] == [upload]
    done = d.complete("check/mp", upload, parts)
    wanted = hashlib.md5(hashlib.md5(one).digest() + hashlib.md5(two).digest()).hexdigest()
    assert done["ETag"] == f'"{wanted}-2"' and done["Key"] == "check/mp"
    assert d.get("check/mp") == one + two
    assert d.complete("check/mp", upload, parts)["ETag"] == done["ETag"], "asked again"
    part = d.s3.get_object(Bucket=d.bucket, Key="check/mp", PartNumber=2)
    assert part["Body"].read() == two and part["PartsCount"] == 2
    assert "Uploads" not in d.s3.list_multipart_uploads(Bucket=d.bucket, Prefix="check/mp")


@check
def multipart_in_any_order_and_again(d):
    blocks = [os.urandom(5 * MIB) for _ in range(3)] + [b"tail"]
    upload = d.s3.create_multipart_upload(Bucket=d.bucket, Key="check/any")["UploadId"]
    tags = {}
    for number in [4, 2, 1, 3, 2]:
        answer = d.s3.upload_part(Bucket=d.bucket, Key="check/any", UploadId=upload, PartNumber=number, Body=blocks[number - 1])
        tags[number] = answer["ETag"]
    d.complete("check/any", upload, [{"PartNumber": n, "ETag": tags[n]} for n in sorted(tags)])
    assert d.get("check/any") == b"".join(blocks)


@check
def multipart_refusals(d):
    upload, parts = d.parts("check/ref", [b"small", b"end"])
    refused("EntityTooSmall", d.complete, "check/ref", upload, parts)
    refused("InvalidPartOrder", d.complete, "check/ref", upload, parts[::-1])
    refused("InvalidPart", d.complete, "check/ref", upload, [{"PartNumber": 1, "ETag": '"00000000000000000000000000000000"'}])
    refused("InvalidArgument", d.s3.upload_part, Bucket=d.bucket, Key="check/ref", UploadId=upload, PartNumber=10001, Body=b"")
    d.s3.abort_multipart_upload(Bucket=d.bucket, Key="check/ref", UploadId=upload)
    refused("NoSuchUpload", d.complete, "check/ref", upload, parts[:1])
    refused("NoSuchUpload", d.s3.abort_multipart_upload, Bucket=d.bucket, Key="check/ref", UploadId=upload)
    refused("NoSuchUpload", d.s3.upload_part, Bucket=d.bucket, Key="check/ref", UploadId="nothing", PartNumber=1, Body=b"")
    refused("NoSuchKey", d.get, "check/ref")


@check
def multipart_at_once(d):
    blocks = [os.urandom(5 * MIB) for _ in range(6)]
    upload = d.s3.create_multipart_upload(Bucket=d.bucket, Key="check/once-parts")["UploadId"]
    tags = [None] * len(blocks)

    def send(at):
        tags[at] = d.s3.upload_part(Bucket=d.bucket, Key="check/once-parts", UploadId=upload, PartNumber=at + 1, Body=blocks[at])["ETag"]

    threads = [threading.Thread(target=send, args=(at,)) for at in range(len(blocks))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    d.complete("check/once-parts", upload, [{"PartNumber": n + 1, "ETag": tag} for n, tag in enumerate(tags)])
    assert d.get("check/once-parts") == b"".join(blocks)


@check
def part_copies(d):
    body = os.urandom(6 * MIB)
    d.put("check/pc-src", body)
    upload = d.s3.create_multipart_upload(Bucket=d.bucket, Key="check/pc")["UploadId"]
    parts = []
    for number, span in [(1, f"bytes=0-{5 * MIB - 1}"), (2, f"bytes={5 * MIB}-{6 * MIB - 1}")]:
        answer = d.s3.upload_part_copy(Bucket=d.bucket, Key="check/pc", UploadId=upload, PartNumber=number,
                                       CopySource=f"{d.bucket}/check/pc-src", CopySourceRange=span)
        parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    d.complete("check/pc", upload, parts)
    assert d.get("check/pc") == body


# --- signatures ------------------------------------------------------------------------------------------------


@check
def presigned(d):
    d.put("check/pre ü", b"signed")
    url = d.s3.generate_presigned_url("get_object", Params={"Bucket": d.bucket, "Key": "check/pre ü"}, ExpiresIn=60)
    assert requests.get(url).content == b"signed"
    assert requests.get(url, headers={"Range": "bytes=0-1"}).content == b"si"
    assert requests.head(url).status_code == 403
    assert requests.get(url.replace("pre%20", "prx%20")).status_code == 403
    named = d.s3.generate_presigned_url("get_object", Params={
        "Bucket": d.bucket, "Key": "check/pre ü", "ResponseContentDisposition": "attachment"})
    assert requests.get(named).headers["Content-Disposition"] == "attachment"
    put = d.s3.generate_presigned_url("put_object", Params={"Bucket": d.bucket, "Key": "check/pre-put", "ContentType": "video/mp4"})
    assert requests.put(put, data=b"new", headers={"Content-Type": "video/mp4"}).status_code == 200
    assert d.get("check/pre-put") == b"new"
    old = d.s3.generate_presigned_url("get_object", Params={"Bucket": d.bucket, "Key": "check/pre ü"}, ExpiresIn=1)
    time.sleep(2.1)
    assert requests.get(old).status_code == 403


@check
def presigned_v2(d):
    d.put("check/v2", b"old way")
    v2 = d.s3_client(d.o.secret_id, d.o.secret_key, signature_version="s3")
    url = v2.generate_presigned_url("get_object", Params={"Bucket": d.bucket, "Key": "check/v2"}, ExpiresIn=60)
    assert "Signature=" in url and requests.get(url).content == b"old way"


@check
def wrong_key(d):
    wrong = d.s3_client(d.o.secret_id, "wrong")
    refused("SignatureDoesNotMatch", wrong.list_objects_v2, Bucket=d.bucket)
    refused("SignatureDoesNotMatch", wrong.put_object, Bucket=d.bucket, Key="check/w", Body=b"x")
    refused("InvalidAccessKeyId", d.s3_client("AKIDnobody", "x").list_objects_v2, Bucket=d.bucket)
    refused("NoSuchKey", d.get, "check/w")


@check
def unsigned(d):
    d.put("check/secret", b"x")
    for url in [f"{d.o.endpoint}/{d.bucket}/check/secret", f"{d.o.endpoint}/{d.bucket}", f"{d.o.endpoint}/"]:
        answer = requests.get(url)
        assert answer.status_code == 403 and "<Code>AccessDenied</Code>" in answer.text, (url, answer.status_code)
    assert requests.put(f"{d.o.endpoint}/{d.bucket}/check/secret", data=b"y").status_code == 403
    assert d.get("check/secret") == b"x"


@check
def another_account(d):
    if not d.o.other_id:
        return "skipped: no key of another account"
    other = d.s3_client(d.o.other_id, d.o.other_key)
    d.put("check/mine", b"x")
    refused("AccessDenied", other.get_object, Bucket=d.bucket, Key="check/mine")
    refused("AccessDenied", other.list_objects_v2, Bucket=d.bucket)
    refused("AccessDenied", other.delete_object, Bucket=d.bucket, Key="check/mine")
    refused("BucketAlreadyExists", other.create_bucket, Bucket=d.bucket, CreateBucketConfiguration={"LocationConstraint": d.o.region}) \
        if not d.bucket.rsplit("-", 1)[-1].isdigit() else refused("InvalidBucketName", other.create_bucket, Bucket=d.bucket)
    appid = d.o.other_bucket_suffix
    name = f"check-other-{appid}" if appid else "check-other-account"
    other.create_bucket(Bucket=name)
    try:
        refused("AccessDenied", other.copy_object, Bucket=name, Key="x", CopySource=f"{d.bucket}/check/mine")
        refused("AccessDenied", d.s3.copy_object, Bucket=name, Key="x", CopySource=f"{d.bucket}/check/mine")
        assert name not in [b["Name"] for b in d.s3.list_buckets()["Buckets"]]
    finally:
        other.delete_bucket(Bucket=name)
    assert d.get("check/mine") == b"x"


@check
def expected_owner(d):
    refused(("AccessDenied", "403"), d.s3.list_objects_v2, Bucket=d.bucket, ExpectedBucketOwner="42")


@check
def signed_body(d):
    body_changed = d.s3_client(d.o.secret_id, d.o.secret_key)

    def tamper(request, **_):
        request.body = b"tampered!"

    body_changed.meta.events.register("before-send.s3.PutObject", tamper)
    body_changed.meta.events.register("request-created.s3.PutObject", lambda request, **_: None)
    try:
        body_changed.put_object(Bucket=d.bucket, Key="check/tamper", Body=b"original.", ContentMD5=base64.b64encode(hashlib.md5(b"original.").digest()).decode())
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody"), error
    refused("NoSuchKey", d.get, "check/tamper")


# --- forms -----------------------------------------------------------------------------------------------------


@check
def form_upload(d):
    post = d.s3.generate_presigned_post(
        d.bucket, "check/form/${filename}",
        Fields={"Content-Type": "video/mp4", "x-amz-meta-a": "1", "success_action_status": "201"},
        Conditions=[{"Content-Type": "video/mp4"}, {"x-amz-meta-a": "1"}, {"success_action_status": "201"},
                    ["content-length-range", 1, 10_000_000]])
    body = os.urandom(3_000_000)
    answer = requests.post(post["url"], data=post["fields"], files={"file": ("片.mp4", body)})
    assert answer.status_code == 201 and "<Key>check/form/片.mp4</Key>" in answer.content.decode(), answer.text
    assert d.get("check/form/片.mp4") == body
    assert d.s3.head_object(Bucket=d.bucket, Key="check/form/片.mp4")["Metadata"] == {"a": "1"}
    plain = d.s3.generate_presigned_post(d.bucket, "check/form/plain")
    assert requests.post(plain["url"], data=plain["fields"], files={"file": b"x"}).status_code == 204


@check
def form_refusals(d):
    post = d.s3.generate_presigned_post(d.bucket, "check/form/r", Conditions=[["content-length-range", 5, 10]])
    for body in [b"four", b"x" * 11]:
        assert requests.post(post["url"], data=post["fields"], files={"file": body}).status_code == 400
    wrong = dict(post["fields"], key="check/form/other")
    assert requests.post(post["url"], data=wrong, files={"file": b"12345"}).status_code == 403
    wrong = dict(post["fields"], **{"x-amz-meta-x": "1"})
    assert requests.post(post["url"], data=wrong, files={"file": b"12345"}).status_code == 403
    wrong = dict(post["fields"], **{"x-amz-signature": "0" * 64})
    assert requests.post(post["url"], data=wrong, files={"file": b"12345"}).status_code == 403
    assert requests.post(f"{d.o.endpoint}/{d.bucket}", data={"key": "check/form/r"}, files={"file": b"12345"}).status_code == 403
    assert requests.post(post["url"], data=post["fields"]).status_code in (400, 403, 501)
    refused("NoSuchKey", d.get, "check/form/r")
    assert requests.post(post["url"], data=post["fields"], files={"file": b"12345"}).status_code == 204


# --- buckets ---------------------------------------------------------------------------------------------------


@check
def buckets(d):
    names = [b["Name"] for b in d.s3.list_buckets()["Buckets"]]
    assert d.bucket in names
    assert d.s3.get_bucket_location(Bucket=d.bucket)["LocationConstraint"] == d.o.region
    assert d.s3.head_bucket(Bucket=d.bucket)["BucketRegion"] == d.o.region
    refused("404", d.s3.head_bucket, Bucket="check-nothing")
    refused("NoSuchBucket", d.s3.list_objects_v2, Bucket="check-nothing")
    refused("NoSuchBucket", d.s3.put_object, Bucket="check-nothing", Key="x", Body=b"")
    name = "check-made"
    d.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": d.o.region})
    try:
        refused("BucketAlreadyOwnedByYou", d.s3.create_bucket, Bucket=name, CreateBucketConfiguration={"LocationConstraint": d.o.region})
        d.s3.put_object(Bucket=name, Key="x", Body=b"")
        refused("BucketNotEmpty", d.s3.delete_bucket, Bucket=name)
        d.s3.delete_object(Bucket=name, Key="x")
    finally:
        d.s3.delete_bucket(Bucket=name)
    refused("NoSuchBucket", d.s3.delete_bucket, Bucket=name)
    refused("InvalidLocationConstraint", d.s3.create_bucket, Bucket="check-place", CreateBucketConfiguration={"LocationConstraint": "mars-1"})
    assert d.s3.get_bucket_versioning(Bucket=d.bucket).get("Status") is None


@check
def virtual_host(d):
    d.put("check/vh", b"hosted")
    address = urllib.parse.urlparse(d.o.endpoint)
    signed = d.s3_client(d.o.secret_id, d.o.secret_key)
    url = signed.generate_presigned_url("get_object", Params={"Bucket": d.bucket, "Key": "check/vh"})
    assert requests.get(url).content == b"hosted"
    # A client that writes the bucket into the host: signed for that host, sent to the address.
    virtual = boto3.client("s3", endpoint_url=f"http://localhost:{address.port}", aws_access_key_id=d.o.secret_id,
                           aws_secret_access_key=d.o.secret_key, region_name=d.o.region,
                           config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
    url = virtual.generate_presigned_url("get_object", Params={"Bucket": d.bucket, "Key": "check/vh"})
    host = urllib.parse.urlparse(url).netloc
    assert host.startswith(d.bucket + ".")
    answer = requests.get(url.replace(host, address.netloc), headers={"Host": host})
    assert answer.content == b"hosted", answer.text


def main():
    options = argparse.ArgumentParser()
    for name in ["endpoint", "secret-id", "secret-key", "bucket", "region"]:
        options.add_argument(f"--{name}", required=True)
    for name in ["other-id", "other-key", "other-bucket-suffix", "only"]:
        options.add_argument(f"--{name}", default="")
    options = options.parse_args()
    door = Door(options)
    clear(door)
    failed = 0
    chosen = [function for function in CHECKS if options.only in function.__name__]
    for function in chosen:
        name = function.__name__.replace("_", " ")
        try:
            told = function(door)
            print(f"ok     {name}{': ' + told if told else ''}")
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc()
    clear(door)
    print(f"{len(chosen) - failed} of {len(chosen)} checks hold")
    return 1 if failed else 0


def clear(door):
    while keys := door.keys("check/")[:1000]:
        door.s3.delete_objects(Bucket=door.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})


if __name__ == "__main__":
    sys.exit(main())
