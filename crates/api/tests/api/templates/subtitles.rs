use serde_json::{Value, json};

use crate::app::TestApp;

fn template() -> Value {
    json!({"Name": "mine", "VideoSrcLanguage": "zh", "SubtitleType": 0, "SubtitleFormat": "vtt"})
}

#[tokio::test]
async fn a_style_must_be_there_when_a_template_names_it() {
    let app = TestApp::new().await;
    let config = json!({"Name": "style", "SubtitleEmbedConfig": {"FontSize": 30}});
    let style = app.call("CreateSubtitleEmbedTemplate", config).await.ok()["Definition"].clone();
    let code = "InvalidParameterValue.SubtitleEmbedId";
    let mut ids = Vec::new();
    for id in [json!(4), style] {
        let mut request = template();
        request["SubtitleEmbedId"] = id;
        ids.push(app.call("CreateSmartSubtitleTemplate", request).await.ok()["Definition"].clone());
    }
    let mut request = template();
    request["SubtitleEmbedId"] = json!(777);
    app.call("CreateSmartSubtitleTemplate", request).await.refused(code, "777");
    let change = json!({"Definition": ids[0], "SubtitleEmbedId": 777});
    app.call("ModifySmartSubtitleTemplate", change).await.refused(code, "777");
    let erase = json!({"Name": "e", "EraseType": "subtitle", "EraseSubtitleConfig": {
        "SubtitleEraseMethod": "auto", "SubtitleModel": "standard", "OcrSwitch": "ON", "TransSwitch": "ON",
        "SubtitleEmbedId": 777,
    }});
    app.call("CreateSmartEraseTemplate", erase).await.refused(code, "777");
}

#[tokio::test]
async fn a_listing_is_filtered_by_what_subtitles_are_made_from() {
    let app = TestApp::new().await;
    let screen = json!({
        "Name": "screen", "ProcessType": 2, "VideoSrcLanguage": "multi", "SubtitleType": 0, "SubtitleFormat": "srt",
    });
    app.call("CreateSmartSubtitleTemplate", template()).await.ok();
    app.call("CreateSmartSubtitleTemplate", screen).await.ok();
    for (kind, count) in [(0, 7), (1, 0), (2, 1)] {
        let page = app.call("DescribeSmartSubtitleTemplates", json!({"ProcessType": kind})).await.ok();
        assert_eq!(page["TotalCount"], count, "{kind}");
    }
    let all = json!({"EraseType": "privacy"});
    assert_eq!(app.call("DescribeSmartEraseTemplates", all).await.ok()["TotalCount"], 2);
    let wrong = json!({"EraseType": "logo"});
    let reply = app.call("DescribeSmartEraseTemplates", wrong).await;
    reply.refused("InvalidParameterValue.EraseType", "logo");
}

#[tokio::test]
async fn presets_have_the_names_of_the_documents() {
    let app = TestApp::new().await;
    let page = app.call("DescribeSmartSubtitleTemplates", json!({"Type": "Preset"})).await.ok();
    let told: Vec<_> = page["SmartSubtitleTemplateSet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["Definition"].as_i64().unwrap(), item["AliasName"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [212, 211, 200, 122, 121, 100]);
    assert_eq!(told[3].1, "Generate_Chinese_And_English_Subtitle_For_Chinese_Video");
    let page = app.call("DescribeQualityControlTemplates", json!({"Definitions": [30, 40]})).await.ok();
    let names: Vec<_> = page["QualityControlTemplateSet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["Name"].clone())
        .collect();
    assert_eq!(names, ["Picture Quality Detection", "Quality Scoring"]);
}
