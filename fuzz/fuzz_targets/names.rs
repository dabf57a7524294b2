//! Names of outputs: whatever the pattern and the source's name, a key stays below its folder and has no odd steps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mps_media::features::transcode::OBJECT_VARIABLES;
use mps_media::names::{Pattern, SourceName, Values, check_directory};

fuzz_target!(|data: (&str, &str, &str)| {
    let (pattern, source, directory) = data;
    for source in [SourceName::from_key(source), SourceName::from_url(source)] {
        assert!(check_directory(&source.directory).is_ok(), "{source:?}");
        let Ok(pattern) = Pattern::parse(pattern, OBJECT_VARIABLES) else { continue };
        let folder = if check_directory(directory).is_ok() { directory } else { &source.directory };
        let values = Values {
            input_name: &source.name,
            input_format: &source.format,
            definition: 100_010,
            format: "mp4",
            task_id: "1-WorkflowTask-x",
            ..Values::default()
        };
        let Ok(key) = pattern.key(folder, &values) else { continue };
        assert!(key.starts_with('/') && !key.contains('\0'), "{key:?}");
        assert!(key[1..].split('/').all(|step| !matches!(step, "" | "." | "..")), "{key:?}");
        assert!(pattern.is_absolute() || key.starts_with(folder), "{key:?} is not below {folder:?}");
    }
});
