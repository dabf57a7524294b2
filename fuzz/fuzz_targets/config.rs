//! A configuration file and a variable: any text is taken or refused with a place, without a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use mps::config::{Config, check};

fuzz_target!(|data: (&str, &str)| {
    let (text, value) = data;
    let variables = [("MPS_NETWORK__ALLOW_PRIVATE".to_owned(), value.to_owned())];
    match Config::from_parts(Some((Path::new("f.toml"), text)), &variables) {
        Ok(config) => {
            let _ = check::check(&config);
        }
        Err(error) => assert!(error.to_string().contains(": "), "{error}"),
    }
});
