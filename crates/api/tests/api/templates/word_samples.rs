use serde_json::{Value, json};

use crate::app::{ACCOUNT, TestApp};

async fn made(app: &TestApp, usages: Value, words: Value) {
    app.call("CreateWordSamples", json!({"Usages": usages, "Words": words})).await.ok();
}

async fn keywords(app: &TestApp, request: Value) -> Vec<String> {
    let page = app.call("DescribeWordSamples", request).await.ok();
    let words = page["WordSet"].as_array().unwrap();
    words.iter().map(|word| word["Keyword"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn words_come_back_with_their_usages_and_tags() {
    let app = TestApp::new().await;
    made(&app, json!(["Recognition", "Review.Asr"]), json!([{"Keyword": "tide", "Tags": ["b", "a"]}])).await;
    let page = app.call("DescribeWordSamples", json!({})).await.ok();
    let word = json!({
        "Keyword": "tide", "TagSet": ["b", "a"], "UsageSet": ["Recognition", "Review.Asr"],
        "CreateTime": "2026-03-01T08:00:00Z", "UpdateTime": "2026-03-01T08:00:00Z",
    });
    assert_eq!((&page["TotalCount"], &page["WordSet"]), (&json!(1), &json!([word])));

    app.clock.advance(1_000);
    let change = json!({"Keyword": "tide", "TagOperationInfo": {"Type": "add", "Tags": ["c"]}});
    app.call("ModifyWordSample", change).await.ok();
    app.call("ModifyWordSample", json!({"Keyword": "tide", "Usages": ["All"]})).await.ok();
    let word = app.call("DescribeWordSamples", json!({})).await.ok()["WordSet"][0].clone();
    assert_eq!((&word["TagSet"], &word["UsageSet"]), (&json!(["b", "a", "c"]), &json!(["All"])));
    assert_eq!(word["UpdateTime"], "2026-03-01T08:00:01Z");
}

#[tokio::test]
async fn a_word_is_there_once() {
    let app = TestApp::new().await;
    made(&app, json!(["Review"]), json!([{"Keyword": "tide", "Tags": ["a"]}, {"Keyword": "ark"}])).await;
    made(&app, json!(["All"]), json!([{"Keyword": "tide"}])).await;
    assert_eq!(keywords(&app, json!({})).await, ["ark", "tide"]);
    let word =
        app.call("DescribeWordSamples", json!({"Keywords": ["tide"]})).await.ok()["WordSet"][0].clone();
    assert_eq!((&word["TagSet"], &word["UsageSet"]), (&json!([]), &json!(["All"])));
}

#[tokio::test]
async fn words_are_filtered_and_paged() {
    let app = TestApp::new().await;
    made(&app, json!(["Recognition.Ocr"]), json!([{"Keyword": "a", "Tags": ["x"]}, {"Keyword": "b"}])).await;
    made(&app, json!(["Review"]), json!([{"Keyword": "c", "Tags": ["x", "y"]}])).await;
    for (request, wanted) in [
        (json!({}), vec!["c", "b", "a"]),
        (json!({"Keywords": ["a", "c"]}), vec!["c", "a"]),
        (json!({"Tags": ["x"]}), vec!["c", "a"]),
        (json!({"Usages": ["Recognition"]}), vec!["b", "a"]),
        (json!({"Usages": ["Review.Asr", "Recognition.Asr"]}), vec!["c"]),
        (json!({"Offset": 1, "Limit": 1}), vec!["b"]),
    ] {
        assert_eq!(keywords(&app, request.clone()).await, wanted, "{request}");
    }
    app.call("DescribeWordSamples", json!({"Limit": 101}))
        .await
        .refused("InvalidParameterValue.Limit", "101");
    let other = app.add_key(ACCOUNT + 1).await;
    let page = app.call_as(&other, "DescribeWordSamples", json!({})).await.ok();
    assert_eq!(page["TotalCount"], 0);
}

#[tokio::test]
async fn all_words_of_a_request_are_removed_or_none() {
    let app = TestApp::new().await;
    made(&app, json!(["All"]), json!([{"Keyword": "a"}, {"Keyword": "b"}])).await;
    let absent = "ResourceNotFound.Word";
    app.call("DeleteWordSamples", json!({"Keywords": ["a", "x"]})).await.refused(absent, "x");
    assert_eq!(keywords(&app, json!({})).await.len(), 2);
    app.call("DeleteWordSamples", json!({"Keywords": ["a", "b"]})).await.ok();
    assert!(keywords(&app, json!({})).await.is_empty());
    app.call("ModifyWordSample", json!({"Keyword": "a", "Usages": ["All"]})).await.refused(absent, "a");
}

#[tokio::test]
async fn wrong_requests_change_nothing() {
    let app = TestApp::new().await;
    let words: Vec<Value> = (0..101).map(|n| json!({"Keyword": n.to_string()})).collect();
    for request in [
        json!({"Usages": ["All"], "Words": words}),
        json!({"Usages": ["All"], "Words": [{"Keyword": "x".repeat(21)}]}),
        json!({"Usages": ["All"], "Words": [{"Keyword": "x", "Tags": vec!["t"; 21]}]}),
        json!({"Usages": ["Everything"], "Words": [{"Keyword": "x"}]}),
    ] {
        app.call("CreateWordSamples", request).await.refused("InvalidParameterValue", "");
    }
    assert!(keywords(&app, json!({})).await.is_empty());
}
