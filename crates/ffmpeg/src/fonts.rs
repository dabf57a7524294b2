//! Which fonts the tools find on this machine.

use std::collections::BTreeSet;
use std::path::Path;

use fontdb::Database;

/// Where the tools look for fonts, inside of the sandbox too.
pub const FOLDERS: &[&str] = &["/usr/share/fonts", "/usr/local/share/fonts"];

/// The families below these folders; what cannot be read is passed over. Reads each font's first pages.
pub fn families<'a>(folders: impl IntoIterator<Item = &'a Path>) -> BTreeSet<String> {
    let mut fonts = Database::new();
    for folder in folders {
        fonts.load_fonts_dir(folder);
    }
    fonts.faces().flat_map(|face| face.families.iter().map(|(name, _)| name.clone())).collect()
}
