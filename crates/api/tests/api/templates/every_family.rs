use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::samples::{self, Sample};
use super::{listed, made};
use crate::app::{ACCOUNT, TestApp};

fn specification() -> Value {
    serde_json::from_str(include_str!("../../../../../spec/mps-2019-06-12.json")).unwrap()
}

/// Names of the members of a listed template, as the specification has them.
fn members(specification: &Value, sample: &Sample) -> BTreeSet<String> {
    let object = |name: &str| specification["objects"][name]["members"].as_array().unwrap().clone();
    let response = specification["actions"][sample.action("Describe")]["response"].as_str().unwrap();
    let list = object(response).into_iter().find(|m| m["name"] == sample.list_member()).unwrap();
    let item = list["type"].as_str().unwrap().trim_start_matches("list<").trim_end_matches('>').to_owned();
    object(&item).iter().map(|member| member["name"].as_str().unwrap().to_owned()).collect()
}

/// What the listing must show of a request: some members are told under other names, one is not told at all.
fn shown(sample: &Sample, body: &Value) -> Value {
    let mut shown = body.clone();
    let members = shown.as_object_mut().unwrap();
    match sample.stem {
        "QualityControl" => drop(members.remove("RecordFormat")),
        "ProcessImage" => {
            members.remove("StdExtInfo");
            let config = members.remove("ProcessImageTemplate").unwrap();
            members.insert("ProcessImageConfig".to_owned(), config);
        }
        _ => {}
    }
    shown
}

#[test]
fn every_family_that_is_served_has_a_sample() {
    let sampled: BTreeSet<_> = samples::all().iter().map(|sample| sample.action("Create")).collect();
    let served = mps_wire::schema::ACTIONS.iter().filter(|action| action.served).map(|action| action.name);
    let made = served.filter(|name| name.starts_with("Create") && name.ends_with("Template"));
    let others: Vec<_> = made.filter(|name| !sampled.contains(*name)).collect();
    assert_eq!(others, ["CreateTranscodeTemplate"]);
}

#[tokio::test]
async fn a_template_is_given_back_as_it_was_made() {
    let (app, specification) = (TestApp::new().await, specification());
    for sample in samples::all() {
        let id = made(&app, &sample).await;
        assert!(id > 200_000, "{}: {id}", sample.stem);
        let item = listed(&app, &sample, id).await;
        for (name, value) in shown(&sample, &sample.request()).as_object().unwrap() {
            assert_eq!(&item[name], value, "{} {name}", sample.stem);
        }
        assert_eq!(item["Definition"], id);
        assert_eq!(item["CreateTime"], "2026-03-01T08:00:00Z");
        let told: BTreeSet<_> = item.as_object().unwrap().keys().cloned().collect();
        assert_eq!(told, members(&specification, &sample), "{}", sample.stem);
    }
}

#[tokio::test]
async fn presets_are_listed_in_the_shape_of_the_specification_and_stay() {
    let (app, specification) = (TestApp::new().await, specification());
    for sample in samples::all() {
        let page = app.call(&sample.action("Describe"), json!({"Limit": sample.most_per_page})).await.ok();
        let items = page[sample.list_member()].as_array().unwrap();
        assert_eq!(page["TotalCount"], items.len(), "{}", sample.stem);
        for item in items {
            assert_eq!(item["Type"], "Preset", "{}", sample.stem);
            let told: BTreeSet<_> = item.as_object().unwrap().keys().cloned().collect();
            assert_eq!(told, members(&specification, &sample), "{} {}", sample.stem, item["Definition"]);
        }
        let Some(preset) = sample.preset else {
            assert!(items.is_empty(), "{}", sample.stem);
            continue;
        };
        assert!(items.iter().any(|item| item["Definition"] == preset), "{}", sample.stem);
        let mut change = sample.patch.clone();
        change["Definition"] = json!(preset);
        let reply = app.call(&sample.action("Modify"), change).await;
        reply.refused("InvalidParameterValue.ModifyDefaultTemplate", &preset.to_string());
        let reply = app.call(&sample.action("Delete"), json!({"Definition": preset})).await;
        reply.refused("InvalidParameterValue.DeleteDefaultTemplate", &preset.to_string());
    }
}

#[tokio::test]
async fn a_change_touches_only_what_it_names() {
    let app = TestApp::new().await;
    for sample in samples::all() {
        let id = made(&app, &sample).await;
        let mut wanted = listed(&app, &sample, id).await;
        app.clock.advance(60_000);
        let mut change = sample.patch.clone();
        change["Definition"] = json!(id);
        app.call(&sample.action("Modify"), change).await.ok();
        merge(&mut wanted, &shown(&sample, &sample.patch));
        let item = listed(&app, &sample, id).await;
        assert_ne!(item["UpdateTime"], wanted["UpdateTime"], "{}", sample.stem);
        wanted["UpdateTime"] = item["UpdateTime"].clone();
        assert_eq!(item, wanted, "{}", sample.stem);

        let empty = json!({"Definition": id, "Name": "other", "Comment": ""});
        app.call(&sample.action("Modify"), empty).await.ok();
        let item = listed(&app, &sample, id).await;
        assert_eq!((&item["Name"], &item["Comment"]), (&json!("other"), &json!("")), "{}", sample.stem);
    }
}

/// Lists of a patch replace lists.
fn merge(base: &mut Value, patch: &Value) {
    match patch {
        Value::Object(members) if base.is_object() => {
            members.iter().for_each(|(name, value)| merge(&mut base[name], value));
        }
        _ => *base = patch.clone(),
    }
}

#[tokio::test]
async fn a_deleted_template_is_gone_and_others_cannot_touch_it() {
    let app = TestApp::new().await;
    let other = app.add_key(ACCOUNT + 1).await;
    let absent = "ResourceNotFound.TemplateNotExist";
    for sample in samples::all() {
        let id = made(&app, &sample).await;
        let (this, text) = (json!({"Definition": id}), id.to_string());
        app.call_as(&other, &sample.action("Delete"), this.clone()).await.refused(absent, &text);
        app.call_as(&other, &sample.action("Modify"), json!({"Definition": id, "Name": "x"}))
            .await
            .refused(absent, &text);
        let page = app.call_as(&other, &sample.action("Describe"), json!({"Definitions": [id]})).await.ok();
        assert_eq!(page["TotalCount"], 0, "{}", sample.stem);

        app.call(&sample.action("Delete"), this.clone()).await.ok();
        assert_eq!(listed(&app, &sample, id).await, Value::Null, "{}", sample.stem);
        app.call(&sample.action("Delete"), this).await.refused(absent, &text);
        assert_ne!(made(&app, &sample).await, id);
    }
}

#[tokio::test]
async fn names_and_comments_have_limits() {
    let app = TestApp::new().await;
    for sample in samples::all() {
        for (name, most) in [("Name", 64), ("Comment", 256)] {
            let mut request = sample.request();
            request[name] = json!("x".repeat(most));
            app.call(&sample.action("Create"), request.clone()).await.ok();
            request[name] = json!("x".repeat(most + 1));
            let code = format!("InvalidParameterValue.{name}");
            app.call(&sample.action("Create"), request.clone()).await.refused(&code, name);
            let id = made(&app, &sample).await;
            let change = json!({"Definition": id, name: request[name]});
            app.call(&sample.action("Modify"), change).await.refused(&code, name);
        }
    }
}
