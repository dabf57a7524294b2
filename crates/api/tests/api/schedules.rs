//! Orchestrations: what may be kept, how it is shown, and what tasks it makes.

use mps_core::task::StepState;
use serde_json::{Value, json};

use crate::app::{ACCOUNT, BUCKET, TestApp};
use crate::media::{cos_output, transcode};

fn activities() -> Value {
    json!([
        {"ActivityType": "input", "ReardriveIndex": [1, 3]},
        {"ActivityType": "action-trans", "ReardriveIndex": [2],
         "ActivityPara": {"TranscodeTask": {"Definition": 100_020}}},
        {"ActivityType": "action-image-sprite", "ReardriveIndex": [4],
         "ActivityPara": {"ImageSpriteTask": {"Definition": 10}}},
        {"ActivityType": "action-snapshotByTimeOffset", "ReardriveIndex": [5], "PredriveIndex": [7],
         "ActivityPara": {"SnapshotByTimeOffsetTask": {"Definition": 10, "ExtTimeOffsetSet": ["1s"]}}},
        {"ActivityType": "output"},
        {"ActivityType": "action-trans", "ReardriveIndex": [4],
         "ActivityPara": {"TranscodeTask": {"Definition": 100_010, "OutputObjectPath": "/own/{inputName}"}}},
    ])
}

fn schedule(name: &str) -> Value {
    json!({
        "ScheduleName": name,
        "Trigger": {"Type": "CosFileUpload", "CosFileUploadTrigger": {
            "Bucket": BUCKET, "Region": "ap-guangzhou", "Dir": "/input/", "Formats": ["mp4", ".flv"]}},
        "Activities": activities(),
        "OutputDir": "/output/",
        "TaskNotifyConfig": {"NotifyType": "URL", "NotifyUrl": "https://example.com/told", "NotifyKey": "s3cret"},
    })
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut body = schedule("odd");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    body
}

async fn create(app: &TestApp, name: &str) -> i64 {
    app.call("CreateSchedule", schedule(name)).await.ok()["ScheduleId"].as_i64().unwrap()
}

fn source() -> Value {
    transcode()["InputInfo"].clone()
}

#[tokio::test]
async fn what_is_kept_is_shown_as_it_came() {
    let app = TestApp::new().await;
    let (first, second) = (create(&app, "转码").await, create(&app, "second-1").await);
    assert!(first > 10_102 && second > first, "{first} {second}");
    let all = app.call("DescribeSchedules", json!({})).await.ok();
    assert_eq!(all["TotalCount"], 5);
    let ids: Vec<_> =
        all["ScheduleInfoSet"].as_array().unwrap().iter().map(|s| s["ScheduleId"].clone()).collect();
    assert_eq!(ids, [json!(second), json!(first), json!(10100), json!(10101), json!(10102)]);
    let shown = app.call("DescribeSchedules", json!({"ScheduleIds": [first]})).await.ok();
    let shown = &shown["ScheduleInfoSet"][0];
    assert_eq!((&shown["ScheduleName"], &shown["Type"]), (&json!("转码"), &json!("Custom")));
    assert_eq!((&shown["Status"], &shown["OutputDir"]), (&json!("Disabled"), &json!("/output/")));
    assert_eq!(shown["Trigger"]["CosFileUploadTrigger"], schedule("")["Trigger"]["CosFileUploadTrigger"]);
    assert_eq!(shown["Activities"][1]["ActivityPara"], activities()[1]["ActivityPara"]);
    let fronts: Vec<_> = (0..6).map(|at| shown["Activities"][at]["PredriveIndex"].clone()).collect();
    assert_eq!(json!(fronts), json!([[], [0], [1], [0], [2, 5], [3]]));
    assert!(!shown.to_string().contains("s3cret"), "{shown}");
    assert_eq!(shown["TaskNotifyConfig"]["NotifyUrl"], "https://example.com/told");
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let app = TestApp::new().await;
    let (first, second) = (create(&app, "a").await, create(&app, "b").await);
    app.call("EnableSchedule", json!({"ScheduleId": second})).await.ok();
    app.call("EnableSchedule", json!({"ScheduleId": second})).await.ok();
    let ids = async |filter: Value| {
        let found = app.call("DescribeSchedules", filter).await.ok();
        let set = found["ScheduleInfoSet"].as_array().unwrap();
        (
            found["TotalCount"].as_i64().unwrap(),
            set.iter().map(|s| s["ScheduleId"].as_i64().unwrap()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(ids(json!({"Status": "Enabled"})).await, (1, vec![second]));
    assert_eq!(ids(json!({"Status": "Disabled"})).await, (1, vec![first]));
    assert_eq!(ids(json!({"TriggerType": "CosFileUpload"})).await, (2, vec![second, first]));
    assert_eq!(ids(json!({"TriggerType": "AwsS3FileUpload"})).await, (0, vec![]));
    assert_eq!(ids(json!({"Offset": 1, "Limit": 2})).await, (5, vec![first, 10100]));
    app.call("DisableSchedule", json!({"ScheduleId": second})).await.ok();
    assert_eq!(ids(json!({"Status": "Enabled"})).await, (0, vec![]));
    for wrong in
        [json!({"Limit": 0}), json!({"Limit": 101}), json!({"Status": "On"}), json!({"TriggerType": "x"})]
    {
        let name = wrong.as_object().unwrap().keys().next().unwrap().clone();
        let code = if name == "Limit" { "InvalidParameterValue.Limit" } else { "InvalidParameterValue" };
        app.call("DescribeSchedules", wrong).await.refused(code, &name);
    }
}

#[tokio::test]
async fn each_wrong_value_has_its_code_and_keeps_nothing() {
    let app = TestApp::new().await;
    create(&app, "taken").await;
    let at = |member: &str| format!("/Trigger/CosFileUploadTrigger/{member}");
    let cases = [
        (schedule("taken"), "InvalidParameterValue.Name", "taken"),
        (schedule(&"字".repeat(129)), "InvalidParameterValue.Name", "128"),
        (schedule(""), "InvalidParameterValue.Name", "ScheduleName"),
        (changed("/Trigger", Value::Null), "MissingParameter", "Trigger"),
        (changed("/Trigger/Type", json!("Fax")), "InvalidParameterValue", "Trigger.Type"),
        (changed(&at("Dir"), json!("/input")), "InvalidParameterValue", "Dir"),
        (changed(&at("Dir"), json!("input/")), "InvalidParameterValue", "Dir"),
        (changed(&at("Formats"), json!(["a b"])), "InvalidParameterValue", "Formats"),
        (changed(&at("Bucket"), json!("other-1250000000")), "ResourceNotFound.CosBucketNotExist", "Bucket"),
        (changed("/OutputDir", json!("output")), "InvalidParameterValue", "OutputDir"),
        (
            changed("/OutputStorage", cos_output("no-1250000000", "ap-guangzhou")),
            "ResourceNotFound",
            "OutputStorage",
        ),
        (changed("/TaskNotifyConfig/NotifyUrl", json!("ftp://x")), "InvalidParameter", "NotifyUrl"),
        (changed("/Activities", json!([])), "MissingParameter", "Activities"),
        (
            changed("/Activities/0/ReardriveIndex", json!([9])),
            "InvalidParameterValue",
            "Activities.0.ReardriveIndex.0",
        ),
        (changed("/Activities/2/ReardriveIndex", json!([1])), "InvalidParameterValue", "Activities"),
        (
            changed("/Activities/1/ActivityPara/TranscodeTask/Definition", json!(99_999_999)),
            "InvalidParameterValue.Definition",
            "Activities.1.ActivityPara.TranscodeTask",
        ),
        (
            changed("/Activities/1/ActivityPara/TranscodeTask/Definition", json!(100_210)),
            "InvalidParameterValue",
            "playlist",
        ),
        (
            changed("/Activities/1/ActivityPara/TranscodeTask/Quality", json!(1)),
            "UnknownParameter",
            "TranscodeTask.Quality",
        ),
        (changed("/ResourceId", json!("r-1")), "UnsupportedOperation", "ResourceId"),
    ];
    for (body, code, named) in cases {
        let reply = app.call("CreateSchedule", body).await;
        assert!(reply.code().starts_with(code), "{} {}: {code} {named}", reply.code(), reply.message());
        assert!(reply.message().contains(named), "{}: {named}", reply.message());
    }
    let aws = json!({"Type": "AwsS3FileUpload", "AwsS3FileUploadTrigger": {"S3Bucket": "b", "S3Region": "us-east-1"}});
    app.call("CreateSchedule", changed("/Trigger", aws)).await.refused("UnsupportedOperation", "Aws");
    let review = json!({"ActivityType": "action-aiReview", "ActivityPara": {"AiContentReviewTask": {"Definition": 10}}});
    let reply = app.call("CreateSchedule", changed("/Activities/2", review)).await;
    reply.refused("UnsupportedOperation", "AiContentReviewTask");
    let left = app.call("DescribeSchedules", json!({"TriggerType": "CosFileUpload"})).await.ok();
    assert_eq!(left["TotalCount"], 1);
}

#[tokio::test]
async fn a_change_replaces_what_it_names() {
    let app = TestApp::new().await;
    let (id, other) = (create(&app, "before").await, create(&app, "other").await);
    app.call("EnableSchedule", json!({"ScheduleId": id})).await.ok();
    let short = json!([
        {"ActivityType": "input", "ReardriveIndex": [1]},
        {"ActivityType": "action-trans", "ReardriveIndex": [2], "ActivityPara": {"TranscodeTask": {"Definition": 100_010}}},
        {"ActivityType": "output"},
    ]);
    let change = json!({"ScheduleId": id, "ScheduleName": "after", "Activities": short, "OutputDir": ""});
    app.call("ModifySchedule", change).await.ok();
    let shown = app.call("DescribeSchedules", json!({"ScheduleIds": [id]})).await.ok();
    let shown = &shown["ScheduleInfoSet"][0];
    assert_eq!((&shown["ScheduleName"], &shown["Status"]), (&json!("after"), &json!("Enabled")));
    assert_eq!(shown["Activities"].as_array().unwrap().len(), 3);
    assert_eq!(shown["OutputDir"], "");
    assert_eq!(shown["Trigger"]["CosFileUploadTrigger"]["Dir"], "/input/");
    let name = json!({"ScheduleId": other, "ScheduleName": "after"});
    app.call("ModifySchedule", name).await.refused("InvalidParameterValue.Name", "after");
    app.call("ModifySchedule", json!({"ScheduleId": other, "ScheduleName": "other"})).await.ok();

    for action in ["ModifySchedule", "DeleteSchedule", "EnableSchedule", "DisableSchedule"] {
        app.call(action, json!({"ScheduleId": 10_100})).await.refused("InvalidParameterValue", "10100");
        app.call(action, json!({"ScheduleId": 55})).await.refused("ResourceNotFound", "55");
    }
    app.call("DeleteSchedule", json!({"ScheduleId": id})).await.ok();
    app.call("DeleteSchedule", json!({"ScheduleId": id})).await.refused("ResourceNotFound", "");
    let run = json!({"InputInfo": source(), "ScheduleId": id});
    app.call("ProcessMedia", run).await.refused("ResourceNotFound", "ScheduleId");
}

#[tokio::test]
async fn a_task_has_a_step_for_each_activity_after_the_one_before_it() {
    let app = TestApp::new().await;
    let id = create(&app, "graph").await;
    let request = json!({"InputInfo": source(), "ScheduleId": id});
    let task = app.call("ProcessMedia", request).await.ok()["TaskId"].as_str().unwrap().to_owned();
    assert!(task.starts_with("1250000000-ScheduleTask-"), "{task}");
    let view = app.engine.view(ACCOUNT, &task).await.unwrap().unwrap();
    let steps: Vec<_> = view.steps[1..].iter().map(|s| (s.kind.as_str(), s.after.clone(), s.state)).collect();
    let waits = StepState::Blocked;
    assert_eq!(
        steps,
        [
            ("transcode", vec![0], waits),
            ("snapshot_by_time_offset", vec![0], waits),
            ("image_sprite", vec![1], waits),
            ("transcode", vec![2], waits),
        ]
    );
    let reads: Vec<_> = view.steps[1..].iter().map(|step| step.params["from"].clone()).collect();
    // The sprite is of the transcode; a snapshot hands on the source.
    assert_eq!(json!(reads), json!([null, null, 1, null]));
    let detail = app.call("DescribeTaskDetail", json!({"TaskId": task})).await.ok();
    assert_eq!(detail["TaskType"], "ScheduleTask");
    assert!(detail["WorkflowTask"].is_null());
    let results = detail["ScheduleTask"]["ActivityResultSet"].as_array().unwrap();
    let kinds: Vec<_> = results.iter().map(|result| result["ActivityType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Transcode", "ImageSprites", "SnapshotByTimeOffset", "Transcode"]);
    assert_eq!(results[0]["ActivityResItem"]["TranscodeTask"]["Status"], "PROCESSING");
    assert!(results[0]["ActivityResItem"]["ReviewTask"].is_null());
    let listed = app.call("DescribeTasks", json!({"Status": "WAITING"})).await.ok();
    assert_eq!(listed["TaskSet"][0]["TaskType"], "ScheduleTask");
}

#[tokio::test]
async fn a_call_outranks_the_orchestration_and_a_graph_of_its_own_outranks_both() {
    let app = TestApp::new().await;
    let id = create(&app, "places").await;
    let directories = async |request: Value| {
        let task = app.call("ProcessMedia", request).await.ok()["TaskId"].as_str().unwrap().to_owned();
        let view = app.engine.view(ACCOUNT, &task).await.unwrap().unwrap();
        let told = view.task.notify.map(|notify| notify.target["NotifyUrl"].clone());
        (view.steps[1].params["naming"]["directory"].clone(), view.steps.len(), told)
    };
    let told = json!("https://example.com/told");
    let request = json!({"InputInfo": source(), "ScheduleId": id});
    assert_eq!(directories(request.clone()).await, (json!("/output/"), 5, Some(told)));
    let mut own = request.clone();
    own["OutputDir"] = json!("/mine/");
    own["TaskNotifyConfig"] = json!({"NotifyType": "URL", "NotifyUrl": "https://example.com/mine"});
    assert_eq!(directories(own).await, (json!("/mine/"), 5, Some(json!("https://example.com/mine"))));
    let mut graph = request.clone();
    graph["Activities"] = json!([
        {"ActivityType": "input", "ReardriveIndex": [1]},
        {"ActivityType": "action-trans", "ActivityPara": {"TranscodeTask": {"Definition": 100_010}}},
    ]);
    assert_eq!(directories(graph).await, (json!("/video/"), 2, None));
    let mut both = request.clone();
    both["MediaProcessTask"] = transcode()["MediaProcessTask"].clone();
    app.call("ProcessMedia", both).await.refused("InvalidParameterValue", "MediaProcessTask");
    for preset in [10_100, 10_101, 10_102] {
        let request = json!({"InputInfo": source(), "ScheduleId": preset});
        assert_eq!(directories(request).await.1, 2);
    }
}
