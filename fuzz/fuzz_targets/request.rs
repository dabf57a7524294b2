//! A request body: whatever JSON comes, it is checked without a panic, and what passed passes again unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mps_media::features::transcode;
use mps_wire::{decode_value, schema};
use serde_json::Value;

fuzz_target!(|data: (u16, &str)| {
    let (which, text) = data;
    let Ok(body) = serde_json::from_str::<Value>(text) else { return };
    let action = schema::ACTIONS[usize::from(which) % schema::ACTIONS.len()].name;
    for action in [action, "ProcessMedia", "CreateTranscodeTemplate"] {
        let Ok(checked) = decode_value(action, body.clone(), transcode::REFUSED) else { continue };
        let again = decode_value(action, checked.clone(), transcode::REFUSED);
        assert_eq!(again.as_ref().ok(), Some(&checked), "{action}");
        if action == "CreateTranscodeTemplate" {
            let _ = transcode::params(&checked);
        }
    }
});
