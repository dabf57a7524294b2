//! The system's own orchestrations. Numbers, names and times are documented; their graphs are ours, as no document shows
//! them.

use serde_json::{Value, json};

use super::Preset;

/// All of them, by number.
pub fn all() -> Vec<Preset> {
    vec![
        one(10100, "ConvHls", "2023-08-04T03:31:24+08:00", "action-trans", "TranscodeTask", 100_220),
        one(10101, "ConvMp4", "2023-08-04T03:31:24+08:00", "action-trans", "TranscodeTask", 100_020),
        one(
            10102,
            "ConvMultiHls",
            "2024-09-20T03:31:24+08:00",
            "action-adaptive-substream",
            "AdaptiveDynamicStreamingTask",
            10,
        ),
    ]
}

fn one(id: i64, name: &str, time: &str, word: &str, member: &str, definition: i64) -> Preset {
    let activities: Value = json!([
        {"ActivityType": "input", "ReardriveIndex": [1]},
        {"ActivityType": word, "ReardriveIndex": [2], "ActivityPara": {member: {"Definition": definition}}},
        {"ActivityType": "output", "ReardriveIndex": []},
    ]);
    Preset::new(id, name, time, json!({"Activities": activities}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::graph;

    #[test]
    fn each_is_a_graph_over_presets_that_exist() {
        for preset in all() {
            let graph = graph::read(&preset.body["Activities"]).unwrap();
            for node in graph.nodes {
                let known: Vec<i64> = node.feature.family().presets().iter().map(|p| p.definition).collect();
                let named = node.item["Definition"].as_i64().unwrap();
                assert!(known.contains(&named), "{} names {named}", preset.name);
            }
        }
    }
}
