use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::app::{ACCOUNT, TestApp};

const ABSENT: &str = "InvalidParameterValue.HotWordsNotExist";

async fn made(app: &TestApp, name: &str, content: &str) -> Value {
    let request = json!({"Type": 0, "Name": name, "Content": content});
    app.call("CreateAsrHotwords", request).await.ok()["HotwordsId"].clone()
}

async fn words(app: &TestApp, request: Value) -> Vec<String> {
    let answer = app.call("DescribeAsrHotwords", request).await.ok();
    let words = answer["HotWords"].as_array().unwrap();
    words.iter().map(|word| format!("{}|{}", word["Text"].as_str().unwrap(), word["Weight"])).collect()
}

#[tokio::test]
async fn a_library_lives_a_whole_life() {
    let app = TestApp::new().await;
    let id = made(&app, "films", "tide|10,ark|100,bay|3").await;
    let answer = app.call("DescribeAsrHotwords", json!({"HotwordsId": id})).await.ok();
    assert_eq!(
        (&answer["Name"], &answer["Type"], &answer["Status"]),
        (&json!("films"), &json!(0), &json!(0))
    );
    assert_eq!((&answer["Content"], &answer["WordCount"]), (&json!("tide|10,ark|100,bay|3"), &json!(3)));
    assert_eq!(answer["HotWords"][1], json!({"Id": 2, "Text": "ark", "Weight": 100}));
    assert_eq!(answer["CreateTime"], "2026-03-01T08:00:00Z");

    app.clock.advance(1_000);
    let change = json!({"HotwordsId": id, "Content": "one|1", "Name": "other"});
    app.call("ModifyAsrHotwords", change).await.ok();
    let answer = app.call("DescribeAsrHotwords", json!({"Name": "other"})).await.ok();
    assert_eq!(
        (&answer["Content"], &answer["UpdateTime"]),
        (&json!("one|1"), &json!("2026-03-01T08:00:01Z"))
    );

    app.call("DeleteAsrHotwords", json!({"HotwordsId": id})).await.ok();
    for action in ["DescribeAsrHotwords", "DeleteAsrHotwords", "ModifyAsrHotwords"] {
        app.call(action, json!({"HotwordsId": id})).await.refused(ABSENT, id.as_str().unwrap());
    }
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent() {
    let app = TestApp::new().await;
    let file = STANDARD.encode("one|1\ntwo|2\n");
    let request = json!({"Type": 1, "Name": "file", "FileContent": file, "FileName": "words.txt"});
    let id = app.call("CreateAsrHotwords", request).await.ok()["HotwordsId"].clone();
    let answer = app.call("DescribeAsrHotwords", json!({"HotwordsId": id})).await.ok();
    assert_eq!((&answer["Content"], &answer["FileName"]), (&json!(file), &json!("words.txt")));
    assert_eq!((&answer["Type"], &answer["WordCount"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn words_are_sorted_and_paged() {
    let app = TestApp::new().await;
    let id = made(&app, "films", "tide|10,ark|100,bay|3").await;
    let sorted = |by: &str, order: u64| json!({"HotwordsId": id, "OrderBy": by, "OrderType": order});
    assert_eq!(words(&app, sorted("Default", 0)).await, ["tide|10", "ark|100", "bay|3"]);
    assert_eq!(words(&app, sorted("Weight", 0)).await, ["bay|3", "tide|10", "ark|100"]);
    assert_eq!(words(&app, sorted("Weight", 1)).await, ["ark|100", "tide|10", "bay|3"]);
    assert_eq!(words(&app, sorted("Lexical", 0)).await, ["ark|100", "bay|3", "tide|10"]);
    assert_eq!(words(&app, json!({"HotwordsId": id, "Offset": 1, "Limit": 1})).await, ["ark|100"]);
    for wrong in
        [json!({"OrderBy": "Length"}), json!({"OrderType": 2}), json!({"Limit": 101}), json!({"Limit": 0})]
    {
        let mut request = wrong.clone();
        request["HotwordsId"] = id.clone();
        let reply = app.call("DescribeAsrHotwords", request).await;
        assert!(reply.code().starts_with("InvalidParameterValue"), "{wrong}: {}", reply.code());
    }
    app.call("DescribeAsrHotwords", json!({})).await.refused("MissingParameter", "HotwordsId");
}

#[tokio::test]
async fn a_library_in_use_stays() {
    let app = TestApp::new().await;
    let id = made(&app, "films", "tide|10").await;
    let template = |library: &Value| {
        json!({
            "Name": "t", "VideoSrcLanguage": "zh", "SubtitleType": 0,
            "AsrHotWordsConfigure": {"Switch": "ON", "LibraryId": library},
        })
    };
    app.call("CreateSmartSubtitleTemplate", template(&json!("hwd-99"))).await.refused(ABSENT, "hwd-99");
    app.call("CreateSmartSubtitleTemplate", template(&json!("mine"))).await.refused(ABSENT, "mine");
    let bound = app.call("CreateSmartSubtitleTemplate", template(&id)).await.ok()["Definition"].clone();
    let list = app.call("DescribeAsrHotwordsList", json!({})).await.ok();
    assert_eq!(list["AsrHotwordsSet"][0]["Status"], 1);
    assert_eq!(app.call("DescribeAsrHotwords", json!({"HotwordsId": id})).await.ok()["Status"], 1);
    app.call("DeleteAsrHotwords", json!({"HotwordsId": id})).await.refused("ResourceInUse", "1 subtitle");
    app.call("DeleteSmartSubtitleTemplate", json!({"Definition": bound})).await.ok();
    app.call("DeleteAsrHotwords", json!({"HotwordsId": id})).await.ok();
}

#[tokio::test]
async fn libraries_are_listed_filtered_and_sorted() {
    let app = TestApp::new().await;
    let first = made(&app, "b", "x|1,y|1").await;
    app.clock.advance(1_000);
    made(&app, "a", "x|1").await;
    let other = app.add_key(ACCOUNT + 1).await;
    assert_eq!(app.call_as(&other, "DescribeAsrHotwordsList", json!({})).await.ok()["TotalCount"], 0);
    app.call_as(&other, "DeleteAsrHotwords", json!({"HotwordsId": first})).await.refused(ABSENT, "hwd");
    for (request, names) in [
        (json!({}), vec!["b", "a"]),
        (json!({"OrderType": 1}), vec!["a", "b"]),
        (json!({"OrderBy": "Name"}), vec!["a", "b"]),
        (json!({"OrderBy": "WordCount"}), vec!["a", "b"]),
        (json!({"OrderBy": "HotwordsId", "OrderType": 1}), vec!["a", "b"]),
        (json!({"OrderBy": "Nonsense"}), vec!["b", "a"]),
        (json!({"Name": "a"}), vec!["a"]),
        (json!({"HotwordsId": first}), vec!["b"]),
        (json!({"Types": [1]}), vec![]),
        (json!({"Offset": 1, "Limit": 1}), vec!["a"]),
    ] {
        let list = app.call("DescribeAsrHotwordsList", request.clone()).await.ok();
        let told: Vec<_> =
            list["AsrHotwordsSet"].as_array().unwrap().iter().map(|l| l["Name"].clone()).collect();
        assert_eq!(told, names, "{request}");
    }
}
