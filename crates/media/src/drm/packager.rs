//! What the packager is told about keys: flags for its standard input, never for its command line.

use std::collections::BTreeSet;

use mps_core::{Error, Result, Secret};

use super::tracks::{Track, key_of_each};
use super::{ContentKey, KeySet, Scheme, Speke};

/// The word of the command line that makes the packager read [`flags`].
pub const FLAG_FILE: &str = "--flagfile=/dev/stdin";

/// The flags that encrypt `tracks`, each with its key. A track's descriptor names it as `drm_label`.
///
/// # Errors
/// `Internal` when `keys` are not those that [`super::tracks::wanted`] asks for.
pub fn flags(speke: &Speke, tracks: &[Track], keys: &KeySet) -> Result<Secret> {
    let places = key_of_each(speke, tracks);
    let labels = tracks.iter().zip(places).map(|(track, place)| {
        let key = keys.0.get(place).ok_or_else(|| Error::internal("a track has no key"))?;
        Ok(label(track, key, speke.scheme))
    });
    let labels = labels.collect::<Result<Vec<_>>>()?.join(",");
    let told = keys.0.iter().flat_map(|key| &key.systems).filter_map(|told| told.pssh.as_deref());
    // Keys may share a box.
    let boxes: String = told.collect::<BTreeSet<_>>().into_iter().map(hex::encode).collect();
    // Without boxes it would make one of its own, which nobody asked for.
    let systems =
        if boxes.is_empty() { "--protection_systems=FairPlay".to_owned() } else { format!("--pssh={boxes}") };
    let scheme = speke.scheme.name();
    Ok(Secret::new(format!(
        "--enable_raw_key_encryption\n--protection_scheme={scheme}\n--clear_lead=0\n--keys={labels}\n{systems}\n"
    )))
}

fn label(track: &Track, key: &ContentKey, scheme: Scheme) -> String {
    let iv = match scheme {
        Scheme::Cbcs => key.iv.hex(),
        Scheme::Cenc => hex::encode(key.iv.counter_of(&track.label)),
    };
    format!("label={}:key_id={}:key={}:iv={iv}", track.label, key.kid.hex(), hex::encode(key.key.reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drm::from_wire_tests::speke;
    use crate::drm::keys::{Iv, Key, SystemData};
    use crate::drm::tracks::{ladder, wanted};
    use crate::drm::{Preset, System, pssh};

    fn keys(speke: &Speke, with_boxes: bool) -> KeySet {
        let key = |(nth, wanted): (usize, crate::drm::tracks::Wanted)| ContentKey {
            kid: wanted.kid,
            key: Key::new([nth as u8 + 1; 16]),
            iv: Iv::from([0x22; 16]),
            systems: with_boxes
                .then(|| pssh::widevine(wanted.kid, "film-1", speke.scheme).bytes())
                .map(|pssh| SystemData { system: System::Widevine, pssh: Some(pssh), key_uri: None })
                .into_iter()
                .collect(),
        };
        KeySet(wanted(speke, &ladder()).into_iter().enumerate().map(key).collect())
    }

    #[test]
    fn every_track_gets_its_key_and_its_vector() {
        let speke = speke(Preset::KeyPerStream);
        let flags = flags(&speke, &ladder(), &keys(&speke, true)).unwrap();
        let lines: Vec<&str> = flags.reveal().lines().collect();
        assert_eq!(lines[..3], ["--enable_raw_key_encryption", "--protection_scheme=cbcs", "--clear_lead=0"]);
        let labels: Vec<&str> = lines[3].strip_prefix("--keys=").unwrap().split(',').collect();
        assert!(labels[1].starts_with("label=video-2:key_id="), "{}", labels[1]);
        assert!(labels[1].ends_with(&format!(":key={}:iv={}", "02".repeat(16), "22".repeat(16))));
        assert_eq!((labels.len(), lines[4].matches("70737368").count()), (3, 3));
        assert_eq!(format!("{flags:?}"), "******");
    }

    #[test]
    fn tracks_that_share_a_key_do_not_share_a_counter() {
        let speke = Speke { scheme: Scheme::Cenc, ..speke(Preset::OneKey) };
        let flags = flags(&speke, &ladder(), &keys(&speke, true)).unwrap();
        let line = flags.reveal().lines().nth(3).unwrap();
        let mut counters: Vec<&str> = line.split("iv=").skip(1).map(|rest| &rest[..16]).collect();
        counters.sort_unstable();
        counters.dedup();
        assert_eq!(counters.len(), 3, "{line}");
    }

    #[test]
    fn without_boxes_none_is_made_up() {
        let speke = speke(Preset::OneKey);
        let flags = flags(&speke, &ladder(), &keys(&speke, false)).unwrap();
        assert!(flags.reveal().ends_with("\n--protection_systems=FairPlay\n"));
        assert!(super::flags(&speke, &ladder(), &KeySet(Vec::new())).is_err());
    }
}
