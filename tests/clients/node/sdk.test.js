// The vendor's Node SDK, unchanged, through every action that is built.
"use strict";
const assert = require("node:assert/strict");
const test = require("node:test");
const { mps } = require("tencentcloud-sdk-nodejs-mps");

const input = JSON.parse(process.env.TEST_INPUT);
const output = JSON.parse(process.env.TEST_OUTPUT);

function client(profile = {}, secretKey = process.env.TEST_SECRET_KEY) {
  return new mps.v20190612.Client({
    credential: { secretId: process.env.TEST_SECRET_ID, secretKey },
    region: process.env.TEST_REGION,
    profile: {
      ...profile,
      httpProfile: { protocol: "http://", endpoint: process.env.TEST_ENDPOINT, reqTimeout: 60, ...profile.httpProfile },
    },
  });
}

async function finished(sdk, TaskId) {
  for (let i = 0; i < 600; i++) {
    const answer = await sdk.DescribeTaskDetail({ TaskId });
    if (answer.Status === "FINISH") return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${TaskId} does not end`);
}

test("a request becomes a finished file", async () => {
  const sdk = client();
  const { TaskId } = await sdk.ProcessMedia({
    InputInfo: input,
    OutputStorage: output,
    OutputDir: "/node/",
    MediaProcessTask: { TranscodeTaskSet: [{ Definition: 100010 }] },
  });
  assert.match(TaskId, /^\d+-WorkflowTask-[0-9a-f]{32}tt\d+$/);
  const { WorkflowTask } = await finished(sdk, TaskId);
  const { TranscodeTask } = WorkflowTask.MediaProcessResultSet[0];
  assert.equal(TranscodeTask.Status, "SUCCESS", TranscodeTask.Message);
  assert.ok(TranscodeTask.Output.Path.startsWith("/node/"));
  assert.ok(TranscodeTask.Output.Size > 0);

  const page = await sdk.DescribeTasks({ Status: "FINISH", Limit: 100 });
  assert.ok(page.TaskSet.some((task) => task.TaskId === TaskId));
  await assert.rejects(sdk.ManageTask({ OperationType: "Abort", TaskId }), (error) => /^(InvalidParameterValue|FailedOperation)/.test(error.code));
});

test("metadata is told on demand", async () => {
  const { MetaData } = await client().DescribeMediaMetaData({ InputInfo: input });
  assert.equal(MetaData.Width, 1280);
  assert.equal(MetaData.VideoStreamSet[0].Codec, "h264");
});

test("templates live a whole life", async () => {
  const sdk = client();
  const { Definition } = await sdk.CreateTranscodeTemplate({
    Container: "mp4",
    Name: "node",
    VideoTemplate: { Codec: "h264", Fps: 25, Bitrate: 400 },
    AudioTemplate: { Codec: "aac", Bitrate: 64, SampleRate: 44100 },
  });
  await sdk.ModifyTranscodeTemplate({ Definition, Comment: "changed" });
  const { TranscodeTemplateSet } = await sdk.DescribeTranscodeTemplates({ Definitions: [Definition] });
  assert.equal(TranscodeTemplateSet[0].Comment, "changed");
  assert.equal(TranscodeTemplateSet[0].Name, "node");
  await sdk.DeleteTranscodeTemplate({ Definition });
  const gone = await sdk.DescribeTranscodeTemplates({ Definitions: [Definition] });
  assert.equal(gone.TotalCount, 0);
});

test("a notification is parsed", async () => {
  const event = { EventType: "WorkflowTask", WorkflowTaskEvent: { TaskId: "1-WorkflowTask-x", Status: "FINISH", ErrCode: 0, Message: "" } };
  const parsed = await client().ParseNotification({ Content: JSON.stringify(event) });
  assert.equal(parsed.EventType, "WorkflowTask");
  assert.equal(parsed.WorkflowTaskEvent.TaskId, "1-WorkflowTask-x");
});

for (const [name, profile] of Object.entries({
  "GET": { httpProfile: { reqMethod: "GET" } },
  "HmacSHA1": { signMethod: "HmacSHA1" },
  "HmacSHA256 by GET": { signMethod: "HmacSHA256", httpProfile: { reqMethod: "GET" } },
})) {
  test(`calls are understood by ${name}`, async () => {
    const answer = await client(profile).DescribeTranscodeTemplates({ Definitions: [100010] });
    assert.equal(answer.TotalCount, 1);
  });
}

test("refusals have their code and request id", async () => {
  const rejected = async (promise, code) => {
    await assert.rejects(promise, (error) => {
      assert.equal(error.code, code);
      assert.match(error.requestId, /^[0-9a-f-]{36}$/);
      return true;
    });
  };
  await rejected(client({}, "wrong").DescribeTasks({ Status: "FINISH" }), "AuthFailure.SignatureFailure");
  await rejected(client().DescribeWorkflows({}), "UnsupportedOperation");
  await rejected(client().DescribeTasks({}), "MissingParameter");
});
