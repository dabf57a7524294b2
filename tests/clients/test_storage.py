"""The bucket endpoint by boto3, the AWS command line and the COS SDK; outputs appear only when whole."""

import hashlib
import os
import pathlib
import subprocess
import sys
import time

import botocore.exceptions
import pytest
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_exception import CosServiceError

from conftest import REGION


def code_of(failed):
    return failed.value.response["Error"]["Code"]


def test_an_object_comes_back_as_it_went(server):
    s3, body = server.s3(), os.urandom(300_000)
    s3.put_object(Bucket=server.input_bucket, Key="a b/é+.bin", Body=body, Metadata={"who": "me"})
    got = s3.get_object(Bucket=server.input_bucket, Key="a b/é+.bin")
    assert got["Body"].read() == body and got["Metadata"] == {"who": "me"}
    assert got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    part = s3.get_object(Bucket=server.input_bucket, Key="a b/é+.bin", Range="bytes=1000-1999")
    assert part["Body"].read() == body[1000:2000]
    listed = s3.list_objects_v2(Bucket=server.input_bucket, Prefix="a b/")
    assert [o["Key"] for o in listed["Contents"]] == ["a b/é+.bin"]
    s3.delete_object(Bucket=server.input_bucket, Key="a b/é+.bin")
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        s3.get_object(Bucket=server.input_bucket, Key="a b/é+.bin")
    assert code_of(failed) == "NoSuchKey"


def test_parts_become_one_object_and_an_aborted_upload_nothing(server):
    s3, parts = server.s3(), [os.urandom(5 << 20), os.urandom(1 << 20)]
    upload = s3.create_multipart_upload(Bucket=server.input_bucket, Key="parts.bin")["UploadId"]
    done = []
    for number, body in enumerate(parts, 1):
        etag = s3.upload_part(Bucket=server.input_bucket, Key="parts.bin", UploadId=upload, PartNumber=number,
                              Body=body)["ETag"]
        done.append({"PartNumber": number, "ETag": etag})
    with pytest.raises(botocore.exceptions.ClientError):
        s3.head_object(Bucket=server.input_bucket, Key="parts.bin")
    s3.complete_multipart_upload(Bucket=server.input_bucket, Key="parts.bin", UploadId=upload,
                                 MultipartUpload={"Parts": done})
    assert s3.get_object(Bucket=server.input_bucket, Key="parts.bin")["Body"].read() == b"".join(parts)

    upload = s3.create_multipart_upload(Bucket=server.input_bucket, Key="never.bin")["UploadId"]
    s3.upload_part(Bucket=server.input_bucket, Key="never.bin", UploadId=upload, PartNumber=1, Body=parts[1])
    s3.abort_multipart_upload(Bucket=server.input_bucket, Key="never.bin", UploadId=upload)
    assert s3.list_objects_v2(Bucket=server.input_bucket, Prefix="never")["KeyCount"] == 0


def test_a_presigned_link_works_until_it_is_changed(server):
    import urllib.error
    import urllib.request

    url = server.s3().generate_presigned_url(
        "get_object", Params={"Bucket": server.input_bucket, "Key": "clips/bunny.mp4"}, ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:
        assert answer.read(12)[4:8] == b"ftyp"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url.replace("bunny", "sunny"))
    assert refused.value.code == 403


def test_a_wrong_secret_and_a_foreign_bucket_are_refused(server, other_account):
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        server.s3({**server.key, "SecretKey": "x"}).list_objects_v2(Bucket=server.input_bucket)
    assert code_of(failed) == "SignatureDoesNotMatch"
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        server.s3(other_account).list_objects_v2(Bucket=server.input_bucket)
    assert code_of(failed) in ("AccessDenied", "NoSuchBucket")


def test_the_aws_command_line_copies_and_lists(server, tmp_path, sample):
    program = pathlib.Path(sys.executable).parent / "aws"
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": server.secret_id, "AWS_SECRET_ACCESS_KEY": server.secret_key,
                   "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": server.buckets, "HOME": str(tmp_path)}

    def aws(*words):
        done = subprocess.run([sys.executable, str(program), "s3", *words], env=environment, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    there = f"s3://{server.input_bucket}/aws/clip.mp4"
    aws("cp", str(sample), there, "--only-show-errors")
    assert "clip.mp4" in aws("ls", f"s3://{server.input_bucket}/aws/")
    back = tmp_path / "back.mp4"
    aws("cp", there, str(back), "--only-show-errors")
    assert back.read_bytes() == sample.read_bytes()
    aws("rm", there)
    listed = server.s3().list_objects_v2(Bucket=server.input_bucket, Prefix="aws/")
    assert listed["KeyCount"] == 0


def test_the_cos_sdk_puts_lists_and_gets(server):
    """The vendor's storage SDK with its own kind of signature; the bucket's host name leads to this server."""
    def client(secret_key):
        host, port = server.buckets.removeprefix("http://").split(":")
        return CosS3Client(CosConfig(Region=REGION, SecretId=server.secret_id, SecretKey=secret_key, Scheme="http",
                                     IP=host, Port=port, AutoSwitchDomainOnRetry=False), retry=0)

    cos = client(server.secret_key)
    cos.put_object(Bucket=server.input_bucket, Key="cos/x y.txt", Body=b"x")
    listed = cos.list_objects(Bucket=server.input_bucket, Prefix="cos/")
    assert [found["Key"] for found in listed["Contents"]] == ["cos/x y.txt"]
    got = cos.get_object(Bucket=server.input_bucket, Key="cos/x y.txt")["Body"].get_raw_stream().read()
    assert got == b"x"
    with pytest.raises(CosServiceError) as refused:
        client("x").list_objects(Bucket=server.input_bucket)
    assert refused.value.get_error_code() in ("SignatureDoesNotMatch", "AccessDenied")


def test_outputs_appear_whole_or_not_at_all(server):
    task = server.process([100040], OutputDir="/whole/")
    s3, seen = server.s3(), False
    while True:
        answer = server.call("DescribeTaskDetail", TaskId=task)
        listed = s3.list_objects_v2(Bucket=server.output_bucket, Prefix="whole/").get("Contents", [])
        part = answer["WorkflowTask"]["MediaProcessResultSet"][0]["TranscodeTask"]
        if part["Status"] == "SUCCESS":
            break
        assert part["Status"] != "FAIL", part
        # The listing came after the answer, so a file may have appeared between the two; then it must be whole.
        for found in listed:
            seen = True
            head = s3.head_object(Bucket=server.output_bucket, Key=found["Key"])
            assert head["ContentLength"] == found["Size"] > 0
        time.sleep(0.05)
    final = s3.head_object(Bucket=server.output_bucket, Key=part["Output"]["Path"].lstrip("/"))
    assert final["ContentLength"] == part["Output"]["Size"]
    if seen:
        assert final["ContentLength"] == found["Size"]
