//! The trials on the real build.

mod support;

use std::time::Instant;

use mps_ffmpeg::capabilities::State;
use mps_ffmpeg::{Capabilities, CapabilityService, Need};
use support::tools;

#[tokio::test]
async fn trials_tell_what_works_and_are_kept() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let service = CapabilityService::start(tools.clone(), folder.path().to_owned());
    assert!(service.now().is_none(), "the start must not wait");
    let all = service.wait().await.unwrap();
    eprintln!("{} in {:?}", all.version, begun.elapsed());
    let broken = |states: &std::collections::BTreeMap<String, State>| {
        states
            .iter()
            .filter(|(_, s)| matches!(s, State::Broken(_)))
            .map(|(n, s)| format!("{n}: {s:?}"))
            .collect::<Vec<_>>()
    };
    eprintln!(
        "broken encoders {:#?}\nbroken filters {:#?}\n{:#?}",
        broken(&all.encoders),
        broken(&all.filters),
        all.hwaccels
    );

    for encoder in ["libx264", "aac", "pcm_s16le", "flac", "mpeg2video"] {
        assert_eq!(all.encoders.get(encoder), Some(&State::Works), "{encoder}");
    }
    for filter in ["scale", "pad", "crop", "overlay", "fps", "aresample", "loudnorm", "bwdif", "gblur"] {
        assert_eq!(all.filters.get(filter), Some(&State::Works), "{filter}");
    }
    for muxer in ["mp4", "hls", "mpegts", "matroska", "flv"] {
        all.require(Need::Muxer(muxer)).unwrap();
    }
    assert!(all.require(Need::Encoder("no_such_encoder")).is_err());
    if all.version.starts_with("n9.0") {
        assert!(!all.has_filter("anlmdn"));
        for encoder in
            ["libx265", "libsvtav1", "libvpx-vp9", "libaom-av1", "libvvenc", "libopus", "libmp3lame"]
        {
            assert_eq!(all.encoders.get(encoder), Some(&State::Works), "{encoder}");
        }
        assert_eq!(all.filters.get("tonemap"), Some(&State::Works));
    }
    assert_eq!(Capabilities::cached(&tools, folder.path()).as_ref(), Some(all.as_ref()));

    let again = CapabilityService::start(tools.clone(), folder.path().to_owned());
    assert_eq!(again.wait().await.unwrap(), all);
    assert_eq!(tools.children().count(), 0);
}
