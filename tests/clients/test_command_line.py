"""Our own command line against a running server, as an operator and as a user."""

import json
import pathlib
import re
import subprocess
import time
import urllib.request

import pytest

from conftest import REGION, binary, own_environment


def named(server):
    """The variables by which a user elsewhere names the server."""
    return {"MPS_ENDPOINT": server.api, "MPS_SECRET_ID": server.secret_id, "MPS_SECRET_KEY": server.secret_key}


def test_a_file_is_processed_and_the_outputs_are_files(server, sample, ffprobe):
    done = server.mps("process", "--input", str(sample), "--template", "100010", "--wait")
    path, = done.stdout.split()
    assert {s["codec_name"] for s in ffprobe(path)["streams"]} == {"h264", "aac"}
    assert re.search(r"Transcode 100010: success 100%", done.stderr), done.stderr


def test_a_user_elsewhere_gets_the_outputs_into_a_folder(server, sample, tmp_path, ffprobe):
    done = server.mps("process", "--input", str(sample), "--template", "100010", "100210",
                      "--buckets", server.buckets, "--output", str(tmp_path / "out"), local=False, **named(server))
    mp4, playlist = [pathlib.Path(line) for line in done.stdout.split()]
    assert ffprobe(mp4)["format"]["format_name"].startswith("mov")
    lines = playlist.read_text().splitlines()
    segments = [line for line in lines if line and not line.startswith("#")]
    assert segments and all((playlist.parent / segment).stat().st_size > 0 for segment in segments)


def test_an_object_a_url_and_a_bucket_for_results(server, files):
    done = server.mps("process", "--input", f"cos://{server.input_bucket}/clips/bunny.mp4", "--template", "100010",
                      "--output", f"cos://{server.output_bucket}/cli/", "--wait", "--priority", "-3",
                      local=False, **named(server))
    assert done.stdout.strip().startswith(f"cos://{server.output_bucket}/cli/")
    done = server.mps("process", "--input", f"http://{files[0]}/bunny.mp4", "--template", "100010", "--wait",
                      "--raw-json")
    answer = json.loads(done.stdout)
    assert answer["Status"] == "FINISH" and answer["WorkflowTask"]["ErrCode"] == 0


def test_a_wrong_template_shows_the_apis_code(server, sample):
    done = server.mps("process", "--input", str(sample), "--template", "99999999", "--wait", check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert re.match(r"(InvalidParameterValue\.Definition|ResourceNotFound\.TemplateNotExist): ",
                    done.stderr.splitlines()[-1])


def test_a_broken_source_shows_the_tasks_code(server, files):
    done = server.mps("process", "--input", f"http://{files[0]}/text.mp4", "--template", "100010", "--wait",
                      check=False)
    assert done.returncode == 1
    assert re.search(r"\d{5}", done.stderr.splitlines()[-1]), done.stderr


def test_a_task_is_started_and_looked_after(server):
    done = server.mps("process", "--input", f"cos://{server.input_bucket}/clips/bunny.mp4", "--template", "100010")
    task = done.stdout.strip()
    server.wait(task)
    assert task in server.mps("tasks", "list", "--status", "finish", "--limit", "100").stdout
    shown = server.mps("tasks", "show", task).stdout
    assert "Transcode 100010  SUCCESS  100%" in shown and f"cos://{server.input_bucket}/clips/" in shown
    assert json.loads(server.mps("tasks", "show", task, "--json").stdout)["Status"] == "FINISH"
    refused = server.mps("tasks", "abort", task, check=False)
    assert refused.returncode == 1 and re.match(r"(InvalidParameterValue|FailedOperation)", refused.stderr)


def test_any_call_can_be_made(server, tmp_path):
    (tmp_path / "params.json").write_text('{"Definitions": [100010]}')
    answer = json.loads(server.mps("call", "DescribeTranscodeTemplates", "--json", f"@{tmp_path}/params.json").stdout)
    assert answer["TotalCount"] == 1
    refused = server.mps("call", "DescribeTasks", "--json", '{"Nonsense": 1}', check=False)
    assert refused.returncode == 1 and refused.stderr.startswith("UnknownParameter: ")
    nobody = server.mps("call", "DescribeTasks", local=False, check=False, MPS_ENDPOINT="http://127.0.0.1:9",
                        MPS_SECRET_ID="x", MPS_SECRET_KEY="x")
    assert nobody.returncode == 1 and "no server answers at http://127.0.0.1:9" in nobody.stderr


def test_keys_rotate_while_the_server_runs(server):
    made = json.loads(server.mps("keys", "create", "--json").stdout)
    assert list(made) == ["AppId", "SecretId", "SecretKey"] and made["AppId"] == 1250000000
    variables = {"MPS_ENDPOINT": server.api, "MPS_SECRET_ID": made["SecretId"], "MPS_SECRET_KEY": made["SecretKey"]}
    call = ("call", "DescribeTasks", "--json", '{"Status":"FINISH"}')
    server.mps(*call, local=False, **variables)
    server.mps("keys", "revoke", made["SecretId"])
    assert re.search(f"{made['SecretId']}  revoked", server.mps("keys", "list").stdout)
    time.sleep(1.5)
    refused = server.mps(*call, local=False, check=False, **variables)
    assert refused.returncode == 1 and refused.stderr.startswith("AuthFailure.")


def test_buckets_are_made_while_the_server_runs(server):
    made = server.mps("buckets", "create", "more-1250000000", "--region", "ap-guangzhou", "--json")
    assert json.loads(made.stdout) == {"AppId": 1250000000, "Bucket": "more-1250000000", "Region": "ap-guangzhou"}
    server.s3().put_object(Bucket="more-1250000000", Key="x.txt", Body=b"here")
    path = server.mps("buckets", "path", "cos://more-1250000000/x.txt").stdout.strip()
    assert pathlib.Path(path).read_bytes() == b"here"
    assert "more-1250000000" in server.mps("buckets", "list").stdout


def test_an_account_is_activated_by_the_operator(server):
    key = json.loads(server.mps("keys", "create", "--account", "1250000002", "--json").stdout)
    variables = {"MPS_ENDPOINT": server.api, "MPS_SECRET_ID": key["SecretId"], "MPS_SECRET_KEY": key["SecretKey"]}
    for verb, fits in [("deactivate", False), ("activate", True)]:
        server.mps("accounts", verb, "1250000002")
        time.sleep(1.5)
        done = server.mps("call", "DescribeTasks", "--json", '{"Status":"FINISH"}', local=False, check=False,
                          **variables)
        assert (done.returncode == 0) == fits, done.stderr
        assert fits or re.match(r"FailedOperation\.InvalidMpsUser|InvalidParameterValue\.UserUnRegister", done.stderr)


def test_a_file_is_looked_into_and_planned_without_a_server(server, sample, tmp_path):
    alone = ["--data", str(tmp_path / "none")]
    probed = server.mps("probe", str(sample), *alone, local=False).stdout
    assert "h264" in probed and "1280x720" in probed
    planned = server.mps("process", "--input", str(sample), "--template", "100020", "100220", "--dry-run", *alone,
                         local=False).stdout
    assert "step 1  source" in planned and "step 3  transcode 100220" in planned
    assert re.search(r"^  ffmpeg .*libx264", planned, re.M)
    assert "output  /bigbuckbunny_transcode_100020.mp4" in planned
    assert not (tmp_path / "none").exists()


def test_the_doctor_finds_nothing_wrong(server):
    done = server.mps("doctor")
    assert "WRONG" not in done.stdout and "libx264" in done.stdout and "a server runs" in done.stdout


def test_health_readiness_and_metrics_are_on_the_apis_address(server):
    def get(path):
        with urllib.request.urlopen(server.api + path, timeout=10) as answer:
            return answer.status, answer.read().decode()

    assert get("/healthz")[0] == 200 and get("/readyz")[0] == 200
    status, text = get("/metrics")
    assert status == 200 and "mps_calls_total{" in text and "mps_steps{" in text


def test_an_unknown_key_stops_the_start_with_a_suggestion(tmp_path):
    (tmp_path / "mps.toml").write_text("[buckets]\nlistn = \"127.0.0.1:1\"\n")
    done = subprocess.run([binary(), "serve", "--config", str(tmp_path / "mps.toml")], env=own_environment(),
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr.strip().endswith('mps.toml:2:1: unknown key "listn" in [buckets]; did you mean "listen"?')


def test_region_aliases_name_the_same_bucket(server):
    source = {"Type": "COS", "CosInputInfo": {"Bucket": server.input_bucket, "Region": "ap-guangzhou-2",
                                              "Object": "clips/bunny.mp4"}}
    answer = server.call("DescribeMediaMetaData", InputInfo=source)
    assert answer["MetaData"]["Width"] == 1280
    assert REGION == "ap-guangzhou"


def test_a_second_server_on_the_same_folder_is_refused(server):
    done = subprocess.run([binary(), "serve", "--data", str(server.data), "--listen", "127.0.0.1:0"],
                          env=own_environment(MPS_BUCKETS__LISTEN="127.0.0.1:0"), capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 1 and "another server" in done.stderr


@pytest.mark.parametrize("method,path", [("PUT", "/"), ("DELETE", "/"), ("POST", "/else")])
def test_another_method_or_path_gets_the_apis_own_error(server, method, path):
    request = urllib.request.Request(server.api + path, method=method, data=b"{}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        assert json.load(answer)["Response"]["Error"]["Code"]
