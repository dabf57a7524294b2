//! Asking.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{CPIX, PSKC};
use crate::drm::tracks::{Kind, Wanted};
use crate::drm::{Speke, System};

/// The document that asks for the keys `wanted`.
///
/// Everything in it is of letters that XML leaves alone: checked ids, hex, base64 and words of ours.
pub fn write(speke: &Speke, wanted: &[Wanted]) -> String {
    let (mut keys, mut systems, mut rules) = (String::new(), String::new(), String::new());
    let (iv, scheme) = (STANDARD.encode(speke.iv.bytes()), speke.scheme.name());
    for Wanted { intended, kid, kinds } in wanted {
        let _ = writeln!(
            keys,
            "    <cpix:ContentKey kid=\"{kid}\" explicitIV=\"{iv}\" commonEncryptionScheme=\"{scheme}\"/>"
        );
        for system in &speke.systems {
            let _ = writeln!(
                systems,
                "    <cpix:DRMSystem kid=\"{kid}\" systemId=\"{}\">\n{}    </cpix:DRMSystem>",
                system.uuid(),
                signals(*system, speke.is_hls)
            );
        }
        let filter = |kind: &Kind| ["      <cpix:", word(*kind), "Filter/>\n"].concat();
        let filters: String = kinds.iter().map(filter).collect();
        let _ = writeln!(
            rules,
            "    <cpix:ContentKeyUsageRule kid=\"{kid}\" intendedTrackType=\"{intended}\">\n{filters}    </cpix:ContentKeyUsageRule>"
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <cpix:CPIX contentId=\"{}\" version=\"2.3\" xmlns:cpix=\"{CPIX}\" xmlns:pskc=\"{PSKC}\">\n\
         \x20 <cpix:ContentKeyList>\n{keys}  </cpix:ContentKeyList>\n\
         \x20 <cpix:DRMSystemList>\n{systems}  </cpix:DRMSystemList>\n\
         \x20 <cpix:ContentKeyUsageRuleList>\n{rules}  </cpix:ContentKeyUsageRuleList>\n\
         </cpix:CPIX>\n",
        speke.resource_id
    )
}

/// Empty elements for the server to fill.
fn signals(system: System, is_hls: bool) -> String {
    let pssh = if system == System::FairPlay { "" } else { "      <cpix:PSSH/>\n" };
    let hls = if is_hls { "      <cpix:HLSSignalingData playlist=\"media\"/>\n" } else { "" };
    format!("{pssh}{hls}")
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "Video",
        Kind::Audio => "Audio",
    }
}
