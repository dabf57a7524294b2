//! Flattened parameters of a GET or a form: read without a panic; what they make, flattened again, makes the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mps_wire::{flatten, schema};

fuzz_target!(|data: (u16, &[u8])| {
    let (which, text) = data;
    let action = &schema::ACTIONS[usize::from(which) % schema::ACTIONS.len()];
    let parameters = flatten::parse(text);
    let Ok(value) = flatten::unflatten(action, &parameters) else { return };
    let _ = flatten::unflatten(action, &flatten::flatten(&value));
});
